// One judgement of readiness: a target as one types it, and the objects of the API as JSON.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "domain/readiness.h"

namespace certlatch {

using State = Verdict::State;

inline const WallTime kNow = std::chrono::time_point_cast<std::chrono::seconds>(
    std::chrono::system_clock::now());  // test certificates are valid around it

inline Target TargetOf(const std::string& text) {
  Target target;
  target.name = ParseTargets({text})->front();
  target.resource = *FindWellKnown(ReadTypeName(target.name.type).front());
  target.ns = "prod";
  return target;
}

inline Collection Objects(const std::vector<std::string>& texts) {
  Collection collection;
  collection.knowledge = Collection::Knowledge::kKnown;
  for (const std::string& text : texts) {
    collection.objects.push_back(
        {"prod/" + std::to_string(collection.objects.size()), *ParseJson(text)});
  }
  return collection;
}

inline Verdict Judge(const std::string& target, const std::vector<Collection>& collections,
                     const ReadinessSettings& settings = {}, WallTime now = kNow) {
  std::vector<const Collection*> pointers;
  pointers.reserve(collections.size());
  for (const Collection& collection : collections) pointers.push_back(&collection);
  return JudgeReady(TargetOf(target), pointers, settings, now);
}

inline std::string Reason(const std::string& target, const std::vector<Collection>& collections) {
  const Verdict verdict = Judge(target, collections);
  EXPECT_EQ(verdict.state, State::kUnmet);
  return verdict.reason;
}

}  // namespace certlatch
