# What cert-manager and Vault would write, by hand. For quickstart.sh, which has set WORK, URL, CA and TOKEN_FILE.
# shellcheck shell=bash

readonly SECRETS=/api/v1/namespaces/default/secrets
readonly CERT_MANAGER=/apis/cert-manager.io/v1/namespaces/default

# One request. Leaves in $WORK/sent when curl was started, and in $WORK/answered when its answer was complete: curl
# writes a line then, and ends later. The answer is in $WORK/answer.
api() { # METHOD PATH CONTENT_TYPE BODY
  printf '%s' "$EPOCHREALTIME" >"$WORK/sent"
  curl -q -sS --fail-with-body --noproxy '*' --max-time 10 --cacert "$CA" -H "Authorization: Bearer $(<"$TOKEN_FILE")" \
    -X "$1" -H "Content-Type: $3" --data-binary "$4" -o "$WORK/answer" -w '\n' "$URL$2" |
    { read -r && printf '%s' "$EPOCHREALTIME" >"$WORK/answered"; } || { cat "$WORK/answer" >&2; return 1; }
}
create() { api POST "$1" application/json "$2"; }                # COLLECTION OBJECT
change() { api PATCH "$1" application/merge-patch+json "$2"; }   # PATH PATCH

create_issuer() {
  create "$CERT_MANAGER/issuers" '{"apiVersion":"cert-manager.io/v1","kind":"Issuer","metadata":{"name":"vault"},
    "spec":{"vault":{"server":"http://vault:8200","path":"pki_int/sign/web"}}}'
  change "$CERT_MANAGER/issuers/vault/status" '{"status":{"conditions":[{"type":"Ready","status":"True",
    "reason":"VaultVerified","message":"Vault verified"}]}}'
}

create_certificate() { # NAME DNS_NAMES
  create "$CERT_MANAGER/certificates" '{"apiVersion":"cert-manager.io/v1","kind":"Certificate","metadata":{"name":"'"$1"'"},
    "spec":{"secretName":"'"$1"'-tls","issuerRef":{"name":"vault"},"dnsNames":['"$2"']}}'
}
set_dns_names() { # NAME DNS_NAMES
  change "$CERT_MANAGER/certificates/$1" '{"spec":{"dnsNames":['"$2"']}}'
}
metadata_of() { # NAME FIELD
  curl -q -sS --noproxy '*' --cacert "$CA" -H "Authorization: Bearer $(<"$TOKEN_FILE")" \
    "$URL$CERT_MANAGER/certificates/$1" | jq -r ".metadata.$2"
}
set_conditions() { # NAME CONDITIONS [MORE STATUS]
  change "$CERT_MANAGER/certificates/$1/status" '{"status":{"conditions":['"$2"']'"${3:+,$3}"'}}'
}
condition() { # TYPE STATUS REASON MESSAGE
  jq -nc --arg type "$1" --arg status "$2" --arg reason "$3" --arg message "$4" --argjson generation "${GENERATION:-1}" \
    '{$type, $status, $reason, $message, observedGeneration: $generation}'
}

readonly REFUSAL='Vault failed to sign certificate: failed to sign certificate by vault: Error making API request.

URL: POST http://vault:8200/v1/pki_int/sign/web
Code: 400. Errors:

* subject alternate name web not allowed by this role'

# As cert-manager leaves the Certificate and its CertificateRequest when Vault refused.
refuse() { # NAME
  local failed uid
  failed=$(date -u -d '1 minute ago' +%FT%TZ)
  uid=$(metadata_of "$1" uid)
  create "$CERT_MANAGER/certificaterequests" '{"apiVersion":"cert-manager.io/v1","kind":"CertificateRequest",
    "metadata":{"name":"'"$1"'-1","annotations":{"cert-manager.io/certificate-name":"'"$1"'",
      "cert-manager.io/certificate-revision":"1"},"ownerReferences":[{"apiVersion":"cert-manager.io/v1",
      "kind":"Certificate","name":"'"$1"'","uid":"'"$uid"'","controller":true}]},
    "spec":{"request":"","issuerRef":{"name":"vault"}}}'
  change "$CERT_MANAGER/certificaterequests/$1-1/status" '{"status":{"failureTime":"'"$failed"'","conditions":['"$(
    condition Approved True cert-manager.io 'Certificate request has been approved by cert-manager.io'),$(
    condition Ready False Failed "$REFUSAL")"']}}'
  set_conditions "$1" "$(condition Ready False DoesNotExist 'Issuing certificate as Secret does not exist'),$(
    condition Issuing False Failed "The certificate request has failed to complete and will be retried: $REFUSAL")" \
    '"lastFailureTime":"'"$failed"'","failedIssuanceAttempts":1'
}
set_ready() { # NAME
  GENERATION=$(metadata_of "$1" generation)
  set_conditions "$1" "$(condition Ready True Ready 'Certificate is up to date and has not expired')" \
    '"lastFailureTime":null,"failedIssuanceAttempts":null'
}

new_pair() { # NAME
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$WORK/$1.key" -out "$WORK/$1.crt" \
    -days 30 -subj "/CN=$1" -addext subjectAltName=DNS:web.example.com 2>/dev/null
}
pair_data() { # PAIR
  printf '"data":{"tls.crt":"%s","tls.key":"%s"}' "$(base64 -w0 "$WORK/$1.crt")" "$(base64 -w0 "$WORK/$1.key")"
}
create_secret() { # NAME PAIR
  create "$SECRETS" '{"apiVersion":"v1","kind":"Secret","type":"kubernetes.io/tls","metadata":{"name":"'"$1"'"},'"$(pair_data "$2")"'}'
}
renew_secret() { # NAME PAIR
  change "$SECRETS/$1" "{$(pair_data "$2")}"
}
