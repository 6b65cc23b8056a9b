// Diagnoser runs a Diagnosis on a Host: asks its questions one after the other, then tells its
// owner. Owns at most one request; bounded as the Diagnosis is. Cheap to start again whenever the
// object changes: a walk under way is dropped. How often that is worth it is the owner's to say.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/host.h"
#include "base/function.h"
#include "domain/diagnosis.h"

namespace certlatch {

class Diagnoser {
 public:
  // `target` must outlive this. `on_done` is called once a walk, never from within Start(); it may
  // start another, and must not destroy this.
  Diagnoser(Host& host, const Target& target, Function<void()> on_done);

  // `object`, `deadline`: see Diagnosis.
  void Start(const Json* object, std::optional<WallTime> deadline);

  // Drops a walk under way; also from within `on_done`.
  void Close() { request_.reset(); }

  // Of the last walk that was completed; before there is one, of the first as far as it has come.
  // nullptr: none was started. While a walk is under way, this may be of an earlier object.
  const Diagnosis* latest() const { return (complete_ ? complete_ : walk_).get(); }

  // Whether the last complete walk found anything else than the one before it: what is to be said
  // once per change. (A Summary() changes with the clock alone.)
  bool changed() const { return changed_; }

  // "" before there is anything to say.
  std::string Summary(WallTime now) const;

 private:
  void Ask();
  void OnAnswer(const ApiAnswer& answer);
  void Finish();

  Host& host_;
  const Target& target_;
  Function<void()> on_done_;
  Handle request_;  // or the moment to say that nothing was to be asked
  std::unique_ptr<Diagnosis> walk_;
  std::unique_ptr<Diagnosis> complete_;
  bool changed_ = false;
};

}  // namespace certlatch
