// Each line of the input is a JSON list of simulations; the answer is a line with a JSON list of verdicts: Allowed,
// ImplicitlyDenied, ExplicitlyDenied.
import { createInterface } from "node:readline";
import { runSimulation } from "@cloud-copilot/iam-simulate";

// The evaluator supports families of condition keys only with a slash (aws:RequestTag/x), so it would never match a key of
// an encryption context. Policies and requests are both rewritten to such a family; the comparison stays the same.
const spelled = (value) => JSON.parse(JSON.stringify(value).replaceAll("kms:EncryptionContext:", "aws:RequestTag/"));

const everything = {
  orgIdentifier: "o-example",
  policies: [{ name: "all", policy: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] } }],
};
for await (const line of createInterface({ input: process.stdin })) {
  const verdicts = [];
  for (const simulation of JSON.parse(line)) {
    const answer = await runSimulation(
      { serviceControlPolicies: [everything], resourceControlPolicies: [], ...spelled(simulation) },
      {},
    );
    const failed = answer.resultType === "error";
    verdicts.push(failed ? { simulation: simulation.request, errors: answer.errors } : answer.overallResult);
  }
  console.log(JSON.stringify(verdicts));
}
