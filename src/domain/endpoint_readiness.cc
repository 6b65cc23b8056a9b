#include <cstdlib>

#include "base/text.h"
#include "domain/readiness_rows.h"

namespace certlatch {
namespace {

struct Count {
  size_t ready = 0;
  size_t waiting = 0;
};

// "no ready address (…)", "fewer than 3 ready endpoints on port 443 (…)".
std::string WhyTooFew(const Count& count, int wanted, const char* noun, const char* plural,
                      const std::string& where) {
  if (count.ready >= static_cast<size_t>(wanted)) return "";
  const std::string few =
      wanted == 1 ? Format("no ready %s", noun) : Format("fewer than %d ready %s", wanted, plural);
  return Format("%s%s (%zu ready, %zu not ready)", few.c_str(), where.c_str(), count.ready,
                count.waiting);
}

bool SliceHasPort(const Json& slice, const std::string_view* port_name) {
  if (port_name == nullptr) return true;
  // An unnamed port of a Service is "" in the slice, or absent.
  for (const Json& port : slice["ports"].items()) {
    if (port["name"].AsString() == *port_name) return true;
  }
  return false;
}

// One endpoint stands in two slices where a Service has IPv4 and IPv6: the pod counts once.
std::string_view EndpointIdentity(const Json& endpoint) {
  const std::string_view pod = endpoint["targetRef"]["name"].AsString();
  return pod.empty() ? endpoint["addresses"][0].AsString() : pod;
}

using Identities = std::vector<std::string_view>;

int Compare(const void* a, const void* b) {
  return static_cast<const std::string_view*>(a)->compare(*static_cast<const std::string_view*>(b));
}

size_t CountDistinct(Identities& all) {
  if (!all.empty()) std::qsort(all.data(), all.size(), sizeof(std::string_view), Compare);
  size_t count = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i == 0 || all[i] != all[i - 1]) ++count;
  }
  return count;
}

// `port_name` nullptr: on any port.
std::string WhyTooFewEndpoints(const Collection& slices, const std::string_view* port_name,
                               const std::string& where, int wanted) {
  Identities ready;
  Identities waiting;
  for (const Json::Member& slice : slices.objects) {
    if (!SliceHasPort(slice.value, port_name)) continue;
    for (const Json& endpoint : slice.value["endpoints"].items()) {
      // "A nil value should be interpreted as true": EndpointConditions in the API reference.
      const bool is_ready = endpoint["conditions"]["ready"].AsBool().value_or(true);
      (is_ready ? ready : waiting).push_back(EndpointIdentity(endpoint));
    }
  }
  return WhyTooFew({CountDistinct(ready), CountDistinct(waiting)}, wanted, "endpoint", "endpoints",
                   where);
}

bool IsPort(const Json& port, std::string_view wanted) {
  return wanted.empty() || port["name"].AsString() == wanted || port["port"].NumberText() == wanted;
}

std::string NamesOfPorts(const Json& ports) {
  std::string names;
  for (const Json& port : ports.items()) {
    const std::string name = Printable(port["name"].AsString(), 100);
    if (!names.empty()) names += ", ";
    names += port["port"].NumberText();
    if (!name.empty()) names.append(1, ' ').append(name);
  }
  return names.empty() ? "none" : names;
}

}  // namespace

Selection SlicesOf(const std::string& ns, const std::string& service) {
  return {WellKnown("endpointslices"), ns, "", "kubernetes.io/service-name=" + service};
}

std::string WhyNoEndpoint(const Json& service, std::string_view port, const Collection& slices,
                          int wanted) {
  const Json& ports = service["spec"]["ports"];
  bool found = false;
  for (const Json& one : ports.items()) {
    if (!IsPort(one, port)) continue;
    found = true;
    const std::string_view name = one["name"].AsString();
    const std::string where =
        Format(" on port %.*s", Length(one["port"].NumberText()), one["port"].NumberText().data());
    std::string why = WhyTooFewEndpoints(slices, &name, where, wanted);
    if (!why.empty()) return why;
  }
  if (found) return "";
  if (port.empty()) return WhyTooFewEndpoints(slices, nullptr, "", wanted);  // headless, no ports
  return Format("has no port %.*s (its ports: %s)", Length(port), port.data(),
                NamesOfPorts(ports).c_str());
}

Verdict EndpointsReady(const Question& question, const Json& object) {
  Count count;
  for (const Json& subset : object["subsets"].items()) {
    count.ready += subset["addresses"].items().size();
    count.waiting += subset["notReadyAddresses"].items().size();
  }
  return Verdict::MetUnless(
      WhyTooFew(count, question.settings.min_ready, "address", "addresses", ""));
}

Verdict ServiceReady(const Question& question, const Json& service) {
  if (service["spec"]["type"].AsString() == "ExternalName") {
    return Verdict::Unmet(
        "is of type ExternalName, which has no endpoints; wait for what it names");
  }
  return Verdict::MetUnless(WhyNoEndpoint(service, question.target.name.port,
                                          *question.collections[1], question.settings.min_ready));
}

Verdict SlicesReady(const Question& question, const Json&) {
  return Verdict::MetUnless(
      WhyTooFewEndpoints(*question.collections[0], nullptr, "", question.settings.min_ready));
}

}  // namespace certlatch
