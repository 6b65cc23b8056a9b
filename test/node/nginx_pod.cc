#include "test/node/nginx_pod.h"

namespace certlatch::test {
namespace {

// The CGI program is what apps have that reload on a request.
constexpr char kFiles[] = R"YAML(
apiVersion: v1
kind: ConfigMap
metadata: {name: nginx}
data:
  nginx.conf: |
    daemon off;
    pid /tmp/nginx.pid;
    error_log stderr notice;
    worker_processes 2;
    events { worker_connections 64; }
    http {
      access_log off;
      client_body_temp_path /tmp/body;
      proxy_temp_path /tmp/proxy;
      fastcgi_temp_path /tmp/fastcgi;
      uwsgi_temp_path /tmp/uwsgi;
      scgi_temp_path /tmp/scgi;
      server {
        listen 8443 ssl;
        ssl_certificate /etc/tls/tls.crt;
        ssl_certificate_key /etc/tls/tls.key;
        location / { return 200 "served\n"; }
      }
    }
  reload: |
    #!/bin/sh
    kill -HUP "$(cat /tmp/nginx.pid)" || exit 1
    printf 'Content-Type: text/plain\r\n\r\nreloaded %s\n' "$REQUEST_METHOD"
)YAML";

constexpr char kPod[] = R"(
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  shareProcessNamespace: $share
  terminationGracePeriodSeconds: 1
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: nginx
    image: test.local/nginx:1
    command: $command
    securityContext: {runAsUser: $app_uid, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
    volumeMounts:
    - {name: tls, mountPath: /etc/tls, readOnly: true}
    - {name: nginx, mountPath: /etc/nginx, readOnly: true}
    - {name: tmp, mountPath: /tmp}
  - name: certlatch
    image: test.local/certlatch:1
    args: [sidecar, --volume=/etc/tls, --expect=secret/web-tls, "--prove=127.0.0.1:8443", $reload]
    securityContext: {runAsUser: $sidecar_uid, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
    livenessProbe: {httpGet: {path: /healthz, port: 9847}, periodSeconds: 1, failureThreshold: 2}
    readinessProbe: {httpGet: {path: /readyz, port: 9847}, periodSeconds: 1}
    volumeMounts:
    - {name: tls, mountPath: /etc/tls, readOnly: true}
  volumes:
  - name: tls
    secret: {secretName: web-tls, optional: true}
  - name: nginx
    configMap: {name: nginx, defaultMode: 0555}
  - name: tmp
    emptyDir: {medium: Memory}
)";

}  // namespace

void NginxPodTest::SetUp() {
  NodeTest::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  CreateYaml(Path("v1", "configmaps"), kFiles);
  Grant({"sidecar", "--volume=/etc/tls", "--expect=secret/web-tls"});
}

void NginxPodTest::StartPod(const NginxPod& pod) {
  const PemPair pair = NewPair();
  PutTlsSecret(pair);
  CreatePod(kPod, {{"$share", pod.share_processes ? "true" : "false"},
                   {"$command", pod.command},
                   {"$app_uid", pod.app_uid},
                   {"$sidecar_uid", pod.sidecar_uid},
                   {"$reload", pod.reload}});
  ASSERT_TRUE(Serves("web", pair));
  ASSERT_TRUE(Says("web", "certlatch", "App has the mounted certificate: proven"));
}

PemPair NginxPodTest::Rotate() {
  PemPair pair = NewPair();
  PutTlsSecret(pair);
  Touch("web");
  return pair;
}

void NginxPodTest::ExpectUndisturbed() {
  EXPECT_EQ(State("web", "certlatch").restarts_of_all, 0);
  EXPECT_THAT(SidecarLog(), testing::Not(testing::HasSubstr("PRIVATE")));
}

}  // namespace certlatch::test
