// TargetName is one TARGET of the command line: TYPE/NAME[:PORT][@NAMESPACE][=GOAL]. Target is
// what it turned out to be. Pure. Parsing checks the form; whether the type exists is for the table
// of known types and, past it, API discovery to say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/resource.h"

namespace certlatch {

struct TargetName {
  std::string text;  // as given, for messages
  std::string type;  // as given: "secret", "certificates.cert-manager.io"; "": none of the API
  std::string name;
  std::string ns;         // "": the command's namespace
  std::string port;       // a number or a name; "": none. Only of services
  std::string goal = {};  // "Complete", "Ready=False", "create"; "": the command's
  // What kubectl says where no API has the type of an object of a manifest; "": it is none.
  std::string no_match = {};
  std::string object = {};  // of a dry run (dry_run.h): what is to be created, as JSON
  bool mounted = false;     // as files in the directory `text`, which are to be as the object says
};

// A target whose type and namespace are known.
struct Target {
  TargetName name;
  Resource resource;
  std::string ns;  // "" for cluster-scoped types

  // "secret/web-tls": as in our own messages. The port stays, the namespace is left out as in
  // kubectl's.
  std::string Label() const;
};

// Whether `name` can be the name of an object or a namespace: a path segment of the API's URLs.
bool IsObjectName(std::string_view name);

// All targets of a command's positional arguments, in kubectl's forms: TYPE/NAME…, TYPE NAME…,
// TYPE1,TYPE2 NAME…. Errors have kubectl's words where kubectl has the form.
// `outside`: targets outside the API (reachable.h) may stand among them; only their text is set.
Result<std::vector<TargetName>> ParseTargets(const std::vector<std::string_view>& arguments,
                                             bool outside = false);

}  // namespace certlatch
