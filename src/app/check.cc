#include "app/check.h"

#include <utility>

#include "base/duration.h"
#include "base/text.h"
#include "base/wall_time.h"
#include "domain/json.h"

namespace certlatch {
namespace {

std::string Hex(const std::optional<Digest>& digest) { return digest ? HexLower(*digest) : "-"; }

std::string Until(const std::optional<WallTime>& time) {
  return time ? FormatWallTime(*time) : "an unknown time";
}

// ,"key":"value", or nothing.
void AddMember(std::string& json, const char* key, const std::string& value) {
  if (value.empty()) return;
  json += Format("%s\"%s\":%s", json.empty() ? "" : ",", key, JsonQuote(value).c_str());
}

}  // namespace

Check::Check(Host& host, Pod& pod, const CheckOptions& options, Function<void(WaitResult&&)> done)
    : host_(host), pod_(pod), options_(options), done_(std::move(done)) {
  mounted_.source = options_.pod.volume.directory;
  if (options_.expect.source != ReloadOptions::Source::kNone) {
    expected_.source = ExpectLabel(options_.expect);
  }
  if (options_.pod.prove) served_.source = options_.pod.prove->endpoint.text;
}

// --- looking ----------------------------------------------------------------------------------

void Check::Start() {
  deadline_ = host_.After(options_.timeout, [this] {
    OnTimeout(Format("no answer within %s", RoughDuration(options_.timeout).c_str()));
  });
  if (!expected_.source.empty()) {
    fetch_ = host_.Fetch(ExpectPath(options_.expect),
                         [this](const ApiAnswer& answer) { OnExpected(answer); });
  }
  ReadVolume();
  if (!served_.source.empty()) {
    // A little sooner than our own end, so that it can say why.
    probe_ = pod_.Probe(pair_.key_kind, options_.timeout - options_.timeout / 10,
                        [this](const Result<CertFacts>& served) { OnServed(served); });
  }
  start_ = host_.After(Duration::zero(), [this] { FinishIfComplete(); });
}

void Check::Interrupt(const char* signal) { OnTimeout(Format("interrupted by %s", signal)); }

void Check::ReadVolume() {
  mounted_.answered = true;
  const Result<VolumeReading> reading = pod_.ReadVolume();
  if (!reading) {
    mounted_.problem = reading.error().text;
    return;
  }
  pair_ = ExamineFiles(reading->snapshot, RulesOf(options_.pod.volume, options_.require_name));
  const Mounted& mounted = pair_.mounted;
  mounted_.problem = ProblemAt(mounted, host_.WallNow(), options_.min_validity);
  mounted_.warning = mounted.warning;
  if (reading->snapshot.files[0].missing.empty()) mounted_.file = mounted.cert_hash;
  if (mounted.leaf.not_after == WallTime()) return;  // it has not been read
  mounted_.leaf = mounted.leaf.sha256;
  mounted_.valid_until = mounted.leaf.not_after;
}

void Check::OnExpected(const ApiAnswer& answer) {
  expected_.answered = true;
  const Result<Expected> expectation = ReadExpectedAnswer(options_.expect, answer);
  if (expectation) {
    expectation_ = *expectation;
    expected_.problem = expectation_.problem;
  } else {
    expected_.problem =
        Format("%s: %s", expected_.source.c_str(), expectation.error().text.c_str());
  }
  if (expectation_.known) expected_.file = expectation_.cert_hash;
  expected_.valid_until = expectation_.valid_until;
  FinishIfComplete();
}

void Check::OnServed(const Result<CertFacts>& served) {
  served_.answered = true;
  if (served) {
    served_.leaf = served->sha256;
    served_.valid_until = served->not_after;
  } else {
    served_.problem = served.error().text;
  }
  FinishIfComplete();
}

void Check::OnTimeout(const std::string& why) {
  for (Finding* finding : {&expected_, &mounted_, &served_}) {
    if (std::exchange(finding->answered, true) || finding->source.empty()) continue;
    finding->problem = Format("%s: %s", finding->source.c_str(), why.c_str());
  }
  FinishIfComplete();
}

void Check::FinishIfComplete() {
  for (const Finding* finding : {&expected_, &mounted_, &served_}) {
    if (!finding->answered && !finding->source.empty()) return;
  }
  if (std::exchange(finished_, true)) return;
  for (Handle* handle : {&start_, &deadline_, &fetch_, &probe_}) handle->reset();
  const std::string wrong = Verdict();
  options_.json ? PrintJson(wrong) : PrintText(wrong);
  if (wrong.empty()) return done_({WaitOutcome::kMet, {}});
  done_({WaitOutcome::kNotMet, {Format("error: %s", wrong.c_str())}});
}

// --- judging ----------------------------------------------------------------------------------

// "": all is well.
std::string Check::Verdict() const {
  if (!mounted_.problem.empty()) {
    return Format("the mounted pair cannot be used: %s", mounted_.problem.c_str());
  }
  const std::string verdict = ExpectedVerdict();
  return verdict.empty() ? ServedVerdict() : verdict;
}

std::string Check::ExpectedVerdict() const {
  if (expected_.source.empty()) return "";
  if (!expectation_.known) return expected_.problem;
  const char* name = expected_.source.c_str();
  if (expected_.file == mounted_.file) {
    if (!HasOtherBundle(expectation_, pair_.mounted)) return "";
    return Format("expected and mounted differ: tls.crt is the one of %s, tls.key or ca.crt is not",
                  name);
  }
  const std::string expected = Until(expected_.valid_until);
  const std::string mounted = Until(mounted_.valid_until);
  if (!expected_.valid_until || expected_.valid_until == mounted_.valid_until) {
    return Format("expected and mounted differ, and neither is later: %s names another certificate",
                  name);
  }
  if (*expected_.valid_until > *mounted_.valid_until) {
    return Format(
        "mounted is behind: %s names a certificate valid until %s, the mount has the one "
        "until %s; kubelet has yet to bring it",
        name, expected.c_str(), mounted.c_str());
  }
  return Format(
      "expected is behind: %s names a certificate valid until %s, the mount has the one "
      "until %s; who writes it has yet to follow",
      name, expected.c_str(), mounted.c_str());
}

std::string Check::ServedVerdict() const {
  if (!served_.problem.empty()) {
    return Format("served is not known: %s", served_.problem.c_str());
  }
  if (served_.source.empty() || served_.leaf == mounted_.leaf) return "";
  const std::string served = Until(served_.valid_until);
  const std::string mounted = Until(mounted_.valid_until);
  if (served_.valid_until == mounted_.valid_until) {
    return Format("served and mounted differ, and neither is later: both are valid until %s",
                  served.c_str());
  }
  const bool later = *served_.valid_until > *mounted_.valid_until;
  return Format(
      "%s is behind: the app serves a certificate valid until %s, the mount has the one "
      "until %s%s",
      later ? "mounted" : "served", served.c_str(), mounted.c_str(),
      later ? "" : "; the app has to reload it");
}

// --- telling ----------------------------------------------------------------------------------

std::string Check::Praise() const {
  const bool expected = !expected_.source.empty();
  const bool served = !served_.source.empty();
  const char* agreement = !expected && !served  ? "the mounted pair is good"
                          : expected && !served ? "expected and mounted agree"
                          : !expected           ? "mounted and served agree"
                                                : "expected, mounted and served agree";
  return Format("%s, valid until %s", agreement, Until(mounted_.valid_until).c_str());
}

void Check::PrintText(const std::string& wrong) {
  for (const Finding* finding : {&expected_, &mounted_, &served_}) {
    if (finding->source.empty()) continue;
    std::string line = Format("%-8s  %-64s", finding->name, Hex(finding->file).c_str());
    if (finding != &expected_) line += Format("  %-64s", Hex(finding->leaf).c_str());
    const std::string& problem = finding->problem;
    line += problem.empty() ? Format("  %s, valid until %s", finding->source.c_str(),
                                     Until(finding->valid_until).c_str())
                            : Format("  %s", problem.c_str());
    if (!finding->warning.empty()) line += Format(" (warning: %s)", finding->warning.c_str());
    host_.Print(line);
  }
  if (wrong.empty()) host_.Print(Format("ok: %s", Praise().c_str()));
}

void Check::PrintJson(const std::string& wrong) {
  std::string json = Format(R"({"ok":%s,"verdict":%s)", wrong.empty() ? "true" : "false",
                            JsonQuote(wrong.empty() ? Praise() : wrong).c_str());
  for (const Finding* finding : {&expected_, &mounted_, &served_}) {
    if (finding->source.empty()) continue;
    std::string members;
    AddMember(members, "source", finding->source);
    if (finding->file) AddMember(members, "fileSHA256", Hex(finding->file));
    if (finding->leaf) AddMember(members, "leafSHA256", Hex(finding->leaf));
    if (finding->valid_until) AddMember(members, "validUntil", Until(finding->valid_until));
    AddMember(members, "problem", finding->problem);
    AddMember(members, "warning", finding->warning);
    json += Format(",\"%s\":{%s}", finding->name, members.c_str());
  }
  host_.Print(json += '}');
}

}  // namespace certlatch
