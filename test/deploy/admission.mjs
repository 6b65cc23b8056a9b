// Decides on requests as the ValidatingAdmissionPolicy of a file would, with a CEL evaluator: no API server of the tests is
// new enough. Reads {policy, requests: [{name, request, object, oldObject}]} from standard input, and prints the decisions as JSON:
// "not concerned", "allowed" or the message of the first rule that is broken.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
const require = createRequire(process.argv[2] + "/");
const { celEnv, parse, plan } = require("@bufbuild/cel");
const { strings } = require("@bufbuild/cel/ext");

const env = celEnv({ funcs: strings });
const evaluate = (expression, variables) => {
  const value = plan(env, parse(expression))(variables);
  if (value !== null && typeof value === "object" && value.constructor?.name.includes("Error")) throw value;
  return value;
};
const holds = (expression, variables) => {
  const value = evaluate(expression, variables);
  if (typeof value !== "boolean") throw new Error(`${expression}: ${value}`);
  return value;
};

function decide(spec, { request, object, oldObject }) {
  const variables = { request, object, oldObject };
  if (!spec.matchConditions.every((condition) => holds(condition.expression, variables))) return "not concerned";
  variables.variables = {};
  for (const variable of spec.variables) {
    const value = evaluate(variable.expression, variables);
    variables.variables = { ...variables.variables, [variable.name]: value };
  }
  for (const rule of spec.validations) if (!holds(rule.expression, variables)) return rule.message;
  return "allowed";
}

const { policy, requests } = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(Object.fromEntries(requests.map((each) => [each.name, decide(policy.spec, each)]))));
