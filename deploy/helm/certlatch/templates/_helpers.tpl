{{/*
The settings in force, as YAML: .Values.certlatch, and over it what a call gives with.
Every template takes the chart's own context, or (dict "root" . "with" (dict ...)).
*/}}
{{- define "certlatch.settings" -}}
{{- $root := default . .root -}}
{{- $settings := deepCopy (default dict $root.Values.certlatch) -}}
{{- if .root -}}
{{- $settings = mergeOverwrite $settings (deepCopy (default dict .with)) -}}
{{- end -}}
{{- $_ := set $settings "release" $root.Release.Name -}}
{{- $_ := set $settings "namespace" $root.Release.Namespace -}}
{{- if not (has $settings.expect (list "" "secret" "lease")) -}}
{{- fail (printf "certlatch: expect is %q: secret, lease or nothing" $settings.expect) -}}
{{- end -}}
{{- if and (eq $settings.expect "lease") $settings.write -}}
{{- fail "certlatch: write reads the Secret: expect: lease does not go with it" -}}
{{- end -}}
{{- if and $settings.nudge $settings.write -}}
{{- fail "certlatch: nudge is for the kubelet, which write leaves out: choose one" -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end -}}

{{/* REPOSITORY:TAG or REPOSITORY@DIGEST */}}
{{- define "certlatch.image" -}}
{{- $image := (include "certlatch.settings" . | fromYaml).image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest | quote -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (toString $image.tag) | quote -}}
{{- end -}}
{{- end -}}

{{- define "certlatch.securityContext" -}}
{{- toYaml (include "certlatch.settings" . | fromYaml).securityContext -}}
{{- end -}}

{{- define "certlatch.resources" -}}
{{- toYaml (include "certlatch.settings" . | fromYaml).resources -}}
{{- end -}}

{{/* What is waited for, one a line: by the Lease, or by the Certificate and its Secret. */}}
{{- define "certlatch.targets" -}}
{{- $s := include "certlatch.settings" . | fromYaml -}}
{{- if eq $s.expect "lease" -}}
lease/{{ required "certlatch: expect is lease: set lease" $s.lease }}
{{- else -}}
{{- with $s.certificate -}}
certificate/{{ . }}
{{ end -}}
secret/{{ required "certlatch: set secret, the Secret with the certificate" $s.secret }}
{{- end -}}
{{- end -}}

{{/* The object whose bytes the mount must have. */}}
{{- define "certlatch.source" -}}
{{- include "certlatch.targets" . | splitList "\n" | last -}}
{{- end -}}

{{/* The mount of the app: an item of its volumeMounts. */}}
{{- define "certlatch.volumeMount" -}}
{{- $s := include "certlatch.settings" . | fromYaml -}}
- name: {{ $s.volume }}
  mountPath: {{ $s.mountPath }}
  readOnly: true
{{- end -}}

{{/* Items of the pod's volumes. */}}
{{- define "certlatch.volumes" -}}
{{- $s := include "certlatch.settings" . | fromYaml -}}
- name: {{ $s.volume }}
{{- if $s.write }}
  emptyDir: # in memory, as Secret volumes are: a key must not reach the node's disk
    medium: Memory
    sizeLimit: 4Mi
{{- else }}
  secret:
    secretName: {{ required "certlatch: set secret, the Secret with the certificate" $s.secret }}
    # Without it the kubelet holds back every container of the pod while the Secret is missing,
    # and the init container that is to wait for it never starts.
    optional: true
    defaultMode: 0440
{{- end }}
{{- if $s.ownToken }}
- name: certlatch-token
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken: { path: token, expirationSeconds: 3600 }
      - configMap: { name: kube-root-ca.crt, items: [{ key: ca.crt, path: ca.crt }] }
      - downwardAPI: { items: [{ path: namespace, fieldRef: { fieldPath: metadata.namespace } }] }
{{- end }}
{{- end -}}
