// Reads a JSON list of simulations, writes a JSON list of verdicts: Allowed, ImplicitlyDenied, ExplicitlyDenied.
import { runSimulation } from "@cloud-copilot/iam-simulate";

// The evaluator supports families of condition keys only with a slash (aws:RequestTag/x), so it would never match a key of
// an encryption context. Policies and requests are both rewritten to such a family; the comparison stays the same.
const spelled = (value) => JSON.parse(JSON.stringify(value).replaceAll("kms:EncryptionContext:", "aws:RequestTag/"));

let input = "";
for await (const chunk of process.stdin) input += chunk;

const everything = {
  orgIdentifier: "o-example",
  policies: [{ name: "all", policy: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] } }],
};
const verdicts = [];
for (const simulation of JSON.parse(input)) {
  const answer = await runSimulation(
    { serviceControlPolicies: [everything], resourceControlPolicies: [], ...spelled(simulation) },
    {},
  );
  if (answer.resultType === "error") {
    console.error(JSON.stringify({ simulation: simulation.request, errors: answer.errors }));
    process.exit(1);
  }
  verdicts.push(answer.overallResult);
}
console.log(JSON.stringify(verdicts));
