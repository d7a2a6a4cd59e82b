{{/* Every key of .Values.settings as the environment variable of its option, that of a list in the singular; the schema knows no other keys. */}}
{{- define "bastion-operator.settingsEnvironment" -}}
{{- range $name, $value := .Values.settings }}
- name: BASTION_OPERATOR_RUN_{{ (kindIs "slice" $value | ternary (trimSuffix "s" $name) $name) | snakecase | upper }}
  value: {{ if kindIs "slice" $value }}{{ join " " $value | quote }}{{ else }}{{ $value | toString | quote }}{{ end }}
{{- end }}
{{- end }}

{{/* The port of an address HOST:PORT; nothing for 0, which listens nowhere. */}}
{{- define "bastion-operator.port" -}}
{{- if ne . "0" }}{{ regexFind "[0-9]+$" . }}{{ end }}
{{- end }}

{{- define "bastion-operator.metricsPort" -}}
{{- include "bastion-operator.port" (default ":8080" .Values.settings.metricsBindAddress) }}
{{- end }}

{{- define "bastion-operator.probesPort" -}}
{{- include "bastion-operator.port" (default ":8081" .Values.settings.healthProbeBindAddress) }}
{{- end }}

{{- define "bastion-operator.leaseNamespace" -}}
{{- default .Release.Namespace .Values.settings.leaderElectResourceNamespace }}
{{- end }}

{{/* Where Azure is: nothing for the public cloud, which is the operator's default. */}}
{{- define "bastion-operator.cloudEnvironment" -}}
{{- $known := dict
  "AzureUSGovernment" (list "https://login.microsoftonline.us" "https://management.usgovcloudapi.net")
  "AzureChina" (list "https://login.chinacloudapi.cn" "https://management.chinacloudapi.cn") }}
{{- $cloud := .Values.cloud }}
{{- $endpoints := list }}
{{- if eq $cloud.name "Custom" }}
{{- $endpoints = list
  (required "cloud.name Custom needs cloud.authorityHost, such as https://login.example" $cloud.authorityHost)
  (required "cloud.name Custom needs cloud.resourceManagerEndpoint, such as https://management.example" $cloud.resourceManagerEndpoint) }}
{{- else if or $cloud.authorityHost $cloud.resourceManagerEndpoint }}
{{- fail (printf "cloud.name %s has its own endpoints: leave cloud.authorityHost and cloud.resourceManagerEndpoint out, or set cloud.name Custom" $cloud.name) }}
{{- else }}
{{- $endpoints = get $known $cloud.name }}
{{- end }}
{{- if $endpoints }}
- name: AZURE_AUTHORITY_HOST
  value: {{ index $endpoints 0 | quote }}
- name: AZURE_RESOURCE_MANAGER_ENDPOINT
  value: {{ index $endpoints 1 | quote }}
{{- end }}
{{- end }}

{{/* The proxy's variables. NO_PROXY stands beside a proxy wherever it is named, or the API server would be asked through it. */}}
{{- define "bastion-operator.proxyEnvironment" -}}
{{- $proxy := .Values.proxy }}
{{- $further := list }}
{{- range .Values.extraEnv }}
{{- $further = append $further (upper .name) }}
{{- end }}
{{- with $proxy.https }}
{{- if $proxy.secretName }}
{{- fail "proxy.secretName stands in place of proxy.https: leave one of them out" }}
{{- end }}
- name: HTTPS_PROXY
  value: {{ . | quote }}
{{- end }}
{{- with $proxy.secretName }}
- name: HTTPS_PROXY
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $proxy.secretKey }}
{{- end }}
{{- with $proxy.http }}
- name: HTTP_PROXY
  value: {{ . | quote }}
{{- end }}
{{- if has "NO_PROXY" $further }}
{{- if $proxy.noProxy }}
{{- fail "extraEnv sets NO_PROXY: name the exceptions there or in proxy.noProxy, not in both" }}
{{- end }}
{{- else if or $proxy.https $proxy.http $proxy.secretName $proxy.noProxy (has "HTTPS_PROXY" $further) (has "HTTP_PROXY" $further) }}
- name: NO_PROXY
  value: {{ concat (list "$(KUBERNETES_SERVICE_HOST)" ".svc" ".cluster.local" "169.254.169.254") $proxy.noProxy | join "," | quote }}
{{- end }}
{{- end }}

{{- define "bastion-operator.usesWorkloadIdentity" -}}
{{- if or .Values.workloadIdentity.enabled (and .Values.defaultIdentity.create (eq .Values.defaultIdentity.type "WorkloadIdentity")) }}true{{ end }}
{{- end }}
