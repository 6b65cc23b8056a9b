{{/* ROLE_KIND and its binding. Takes a dict: kind, name, account, namespace, rules, annotations. */}}
{{- define "certlatch.role" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}
metadata:
  name: {{ .name }}
  {{- if eq .kind "Role" }}
  namespace: {{ .namespace }}
  {{- end }}
  {{- with .annotations }}
  annotations:
    {{- . | nindent 4 }}
  {{- end }}
rules:
  {{- toYaml .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}Binding
metadata:
  name: {{ .name }}
  {{- if eq .kind "Role" }}
  namespace: {{ .namespace }}
  {{- end }}
  {{- with .annotations }}
  annotations:
    {{- . | nindent 4 }}
  {{- end }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ .account }}
    namespace: {{ .namespace }}
{{- end -}}

{{/* What `certlatch rbac` prints for the containers of these templates, for rbac.serviceAccount. */}}
{{- define "certlatch.rbac" -}}
{{- $s := include "certlatch.settings" . | fromYaml -}}
{{- $rules := list -}}
{{- $read := list "list" "watch" -}}
{{- if eq $s.expect "lease" -}}
{{- $rules = append $rules (dict "apiGroups" (list "coordination.k8s.io") "resources" (list "leases") "resourceNames" (list $s.lease) "verbs" $read) -}}
{{- else -}}
{{- with $s.certificate -}}
{{- $rules = append $rules (dict "apiGroups" (list "cert-manager.io") "resources" (list "certificates") "resourceNames" (list .) "verbs" $read) -}}
{{- end -}}
{{- $secret := required "certlatch: set secret, the Secret with the certificate" $s.secret -}}
{{- $rules = append $rules (dict "apiGroups" (list "") "resources" (list "secrets") "resourceNames" (list $secret) "verbs" $read) -}}
{{- end -}}
{{- if $s.nudge -}}
{{- $rules = append $rules (dict "apiGroups" (list "") "resources" (list "pods/status") "verbs" (list "patch")) -}}
{{- end -}}
{{- $name := default (printf "%s-certlatch" $s.release) $s.rbac.name -}}
{{- include "certlatch.role" (dict "kind" "Role" "name" $name "account" $s.rbac.serviceAccount "namespace" $s.namespace "rules" (concat $rules $s.rbac.rules)) -}}
{{- end -}}
