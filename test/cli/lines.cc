#include "test/cli/lines.h"

#include <gtest/gtest.h>

namespace certlatch {
namespace {

std::vector<std::string> Words(std::string_view line) {
  std::vector<std::string> words;
  bool quoted = false;
  bool within = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    const bool space = c == ' ' && !quoted;
    if (!space && !within) words.emplace_back();
    within = !space;
    if (!space && c != '"') words.back() += c;
  }
  return words;
}

Status Parse(std::string_view line, const Surroundings& surroundings, Command& command) {
  const std::vector<std::string> words = Words(line);
  return ParseCommandLine("certlatch", {words.begin(), words.end()}, surroundings, command);
}

}  // namespace

Surroundings InPod() {
  Surroundings pod;
  pod.environment = {"KUBERNETES_SERVICE_HOST=10.96.0.1", "KUBERNETES_SERVICE_PORT=443"};
  pod.service_account_namespace = "prod";
  pod.version = "certlatch 1";
  pod.version_json = "{}";
  return pod;
}

Command ParsedLine(std::string_view line, const Surroundings& surroundings) {
  Command command;
  const Status status = Parse(line, surroundings, command);
  EXPECT_TRUE(status.has_value()) << line << ": " << (status ? "" : status.error().text);
  return command;
}

std::string RefusedLine(std::string_view line, const Surroundings& surroundings) {
  Command command;
  const Status status = Parse(line, surroundings, command);
  EXPECT_FALSE(status.has_value()) << line;
  return status ? "" : status.error().text;
}

}  // namespace certlatch
