#include "app/diagnoser.h"

#include <utility>

namespace certlatch {

Diagnoser::Diagnoser(Host& host, const Target& target, Function<void()> on_done)
    : host_(host), target_(target), on_done_(std::move(on_done)) {}

void Diagnoser::Start(const Json* object, std::optional<WallTime> deadline) {
  walk_ = std::make_unique<Diagnosis>(target_, object, deadline);
  if (walk_->question() != nullptr) return Ask();
  request_ = host_.After(Duration::zero(), [this] { Finish(); });
}

void Diagnoser::Ask() {
  request_ = host_.Fetch(*walk_->question(), [this](const ApiAnswer& answer) { OnAnswer(answer); });
}

void Diagnoser::OnAnswer(const ApiAnswer& answer) {
  walk_->OnAnswer(answer);
  walk_->question() != nullptr ? Ask() : Finish();
}

void Diagnoser::Finish() {
  request_.reset();
  changed_ = !complete_ || complete_->findings() != walk_->findings();
  complete_ = std::move(walk_);
  on_done_();
}

std::string Diagnoser::Summary(WallTime now) const {
  return latest() == nullptr ? "" : latest()->Summary(now);
}

}  // namespace certlatch
