// Diagnosis says why an object is not ready: it walks from the object to what it waits for
// (Certificate, CertificateRequest, Issuer, Order, Challenge; ExternalSecret, store; Service,
// pods; Secret to who fills it) and tells what each link says of itself. Pure and bounded: it asks
// its caller for one answer at a time, kMaxQuestions at most, and never reads a Secret by itself.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "domain/api_answer.h"
#include "domain/json.h"
#include "domain/target.h"

namespace certlatch {

constexpr size_t kMaxQuestions = 20;  // the longest chain, from a Secret, has 7 links
constexpr size_t kMaxFindings = 40;

// One line of what was found. Both texts are printable and bounded, whatever the objects hold.
struct Finding {
  enum class Severity : uint8_t {
    kInfo,   // as it should be, or on its way
    kHint,   // what could not be looked at, or what to look at next
    kCause,  // this keeps the target from being ready
  };
  std::string label;  // "certificaterequest/web-1"; of a type that may not be read: "orders"
  std::string text;   // for people, without the label
  Severity severity = Severity::kInfo;

  bool operator==(const Finding& other) const = default;  // "once per change": compare findings()
};

struct DiagnosisWalk;

class Diagnosis {
 public:
  // `target` must outlive this. `object`: as it is known, nullptr: it does not exist; it may go.
  // `deadline`: until when somebody waits; for hopeless(). nullopt: forever.
  Diagnosis(const Target& target, const Json* object, std::optional<WallTime> deadline);
  ~Diagnosis();
  Diagnosis(Diagnosis&&) = delete;

  // Path and query of the next GET; nullptr: all is found. Each is to be answered once, by
  // OnAnswer, also if it failed: 403, 404 and no answer at all become hints, never an error.
  const std::string* question() const;
  void OnAnswer(const ApiAnswer& answer);

  // From the target along the chain: the deepest cause comes last. Grows with each answer; may be
  // shown at any time.
  const std::vector<Finding>& findings() const;

  // When cert-manager tries again after a failed issuance. nullopt: not known, or it is trying.
  std::optional<WallTime> retry_at() const;

  // Why waiting until the deadline cannot help; "": it may. The request was denied or is invalid,
  // or the next attempt comes after the deadline.
  const std::string& hopeless() const;

  // One line: the deepest cause (else the first line that says anything), and how long until the
  // next attempt. "" if there is nothing to say.
  std::string Summary(WallTime now) const;

  // Of the finding that Summary() shows: whether it is a cause, and whether the target's own.
  bool HasCause() const;
  bool HasOwnCause() const;
  // Whether that is no more than what the target's condition Ready says.
  bool HasOwnConditionOnly() const;

 private:
  std::unique_ptr<DiagnosisWalk> walk_;
};

}  // namespace certlatch
