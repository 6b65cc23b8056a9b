{{/* What all containers have: the rest of an item, two deep. */}}
{{- define "certlatch.rest" -}}
{{- $s := include "certlatch.settings" . | fromYaml -}}
{{- if $s.nudge -}}
env:
  - name: POD_NAME
    valueFrom: { fieldRef: { fieldPath: metadata.name } }
  - name: POD_NAMESPACE
    valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
{{ end -}}
resources:
  {{- include "certlatch.resources" . | nindent 2 }}
securityContext:
  {{- include "certlatch.securityContext" . | nindent 2 }}
volumeMounts:
  - name: {{ $s.volume }}
    mountPath: {{ $s.mountPath }}
    {{- if not $s.write }}
    readOnly: true
    {{- end }}
  {{- if $s.ownToken }}
  - name: certlatch-token
    mountPath: /var/run/secrets/kubernetes.io/serviceaccount
    readOnly: true
  {{- end }}
{{- end -}}

{{- define "certlatch.write" -}}
{{- $s := include "certlatch.settings" . | fromYaml -}}
- --write={{ $s.mountPath }}={{ include "certlatch.source" . }}
- --write-mode={{ $s.writeMode }}
{{- end -}}

{{/* An item of initContainers: the pod starts once the files are there. */}}
{{- define "certlatch.initContainer" -}}
{{- $s := include "certlatch.settings" . | fromYaml -}}
- name: wait-for-certificate
  image: {{ include "certlatch.image" . }}
  imagePullPolicy: {{ $s.image.pullPolicy }}
  args:
    - wait
    {{- range concat (include "certlatch.targets" . | splitList "\n") $s.targets }}
    - {{ . | quote }}
    {{- end }}
    {{- if $s.write }}
    {{- include "certlatch.write" . | nindent 4 }}
    {{- else }}
    - --mounted={{ $s.mountPath }}={{ include "certlatch.source" . }}
    {{- end }}
    {{- if $s.nudge }}
    - --nudge
    {{- end }}
    - --timeout={{ $s.timeout }}
    {{- range $s.waitArgs }}
    - {{ . | quote }}
    {{- end }}
  {{- include "certlatch.rest" . | nindent 2 }}
{{- end -}}

{{/* Arguments of both sidecars. */}}
{{- define "certlatch.sidecarArgs" -}}
{{- $s := include "certlatch.settings" . | fromYaml -}}
{{- if and $s.nudge (not $s.expect) -}}
{{- fail "certlatch: a sidecar can nudge only if it is told what to expect: set expect to secret or lease" -}}
{{- end -}}
- --volume={{ $s.mountPath }}
{{- if $s.expect }}
- --expect={{ include "certlatch.source" . }}
{{- end }}
{{- if $s.write }}
{{ include "certlatch.write" . }}
{{- end }}
{{- if $s.nudge }}
- --nudge
{{- end }}
- --listen=:{{ $s.port }}
{{- range $s.args }}
- {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "certlatch.probes" -}}
{{- $s := include "certlatch.settings" . | fromYaml -}}
ports:
  - name: certlatch
    containerPort: {{ $s.port }}
livenessProbe:
  httpGet: { path: /healthz, port: certlatch }
readinessProbe:
  httpGet: { path: /readyz, port: certlatch }
  periodSeconds: 5
{{- end -}}

{{/* An item of containers. */}}
{{- define "certlatch.sidecar" -}}
{{- $s := include "certlatch.settings" . | fromYaml -}}
- name: certlatch
  image: {{ include "certlatch.image" . }}
  imagePullPolicy: {{ $s.image.pullPolicy }}
  args:
    - sidecar
    {{- include "certlatch.sidecarArgs" . | nindent 4 }}
  {{- include "certlatch.probes" . | nindent 2 }}
  {{- include "certlatch.rest" . | nindent 2 }}
{{- end -}}

{{/* An item of initContainers, where Kubernetes is 1.29 or later: instead of the other two. */}}
{{- define "certlatch.nativeSidecar" -}}
{{- $s := include "certlatch.settings" . | fromYaml -}}
- name: certlatch
  image: {{ include "certlatch.image" . }}
  imagePullPolicy: {{ $s.image.pullPolicy }}
  restartPolicy: Always
  args:
    - sidecar
    {{- range concat (include "certlatch.targets" . | splitList "\n") $s.targets }}
    - {{ printf "--wait=%s" . | quote }}
    {{- end }}
    - --timeout={{ $s.timeout }}
    {{- include "certlatch.sidecarArgs" . | nindent 4 }}
  startupProbe: # no limit of its own: --timeout is the one whose reason is told
    httpGet: { path: /startupz, port: certlatch }
    periodSeconds: 1
    failureThreshold: 86400
  {{- include "certlatch.probes" . | nindent 2 }}
  {{- include "certlatch.rest" . | nindent 2 }}
{{- end -}}
