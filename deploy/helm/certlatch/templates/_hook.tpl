{{/* A Job that is waited for as a hook, and its account and rights as an earlier one: whole objects. */}}
{{- define "certlatch.hookJob" -}}
{{- $s := include "certlatch.settings" . | fromYaml -}}
{{- $hook := $s.hook -}}
{{- $name := default (printf "%s-certlatch-wait" (trunc 48 $s.release | trimSuffix "-")) $hook.name -}}
{{- if not $hook.targets -}}
{{- fail "certlatch: set hook.targets: what is the Job to wait for?" -}}
{{- end -}}
{{- $rights := printf "helm.sh/hook: %s\nhelm.sh/hook-weight: %q\nhelm.sh/hook-delete-policy: before-hook-creation,hook-succeeded" $hook.events (toString $hook.rightsWeight) -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  namespace: {{ $s.namespace }}
  annotations:
    {{- $rights | nindent 4 }}
{{- with $hook.rules }}
---
{{ include "certlatch.role" (dict "kind" "Role" "name" $name "account" $name "namespace" $s.namespace "rules" . "annotations" $rights) }}
{{- end }}
{{- with $hook.clusterRules }}
---
{{ include "certlatch.role" (dict "kind" "ClusterRole" "name" (printf "%s-%s" $s.namespace $name) "account" $name "namespace" $s.namespace "rules" . "annotations" $rights) }}
{{- end }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $name }}
  namespace: {{ $s.namespace }}
  annotations:
    helm.sh/hook: {{ $hook.events }}
    helm.sh/hook-weight: {{ $hook.weight | toString | quote }}
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  backoffLimit: 0 # it tries again by itself, until the timeout
  activeDeadlineSeconds: {{ $hook.deadlineSeconds }}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {{ $name }}
    spec:
      serviceAccountName: {{ $name }}
      restartPolicy: Never
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: certlatch
          image: {{ include "certlatch.image" . }}
          imagePullPolicy: {{ $s.image.pullPolicy }}
          args:
            - wait
            {{- range $hook.targets }}
            - {{ . | quote }}
            {{- end }}
            - --timeout={{ $hook.timeout }}
            {{- range $hook.args }}
            - {{ . | quote }}
            {{- end }}
          resources:
            {{- include "certlatch.resources" . | nindent 12 }}
          securityContext:
            {{- include "certlatch.securityContext" . | nindent 12 }}
{{- end -}}
