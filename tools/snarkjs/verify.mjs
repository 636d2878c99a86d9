// Asks snarkjs about the proof in a folder of artefacts. Needs `npm ci`.
//
//   node verify.mjs DIR     DIR holds verification_key.json, public.json and proof.json
//
// The proof must be accepted as it is, and refused with each of its public inputs changed.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { groth16 } from "snarkjs";

const [folder] = process.argv.slice(2);
if (!folder) {
  console.error("usage: node verify.mjs DIR");
  process.exit(2);
}
const read = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const [key, inputs, proof] = ["verification_key.json", "public.json", "proof.json"].map(read);

const accepted = await groth16.verify(key, inputs, proof);
console.log(`snarkjs: the proof is ${accepted ? "accepted" : "REFUSED"}`);
let good = accepted;
for (const index of inputs.keys()) {
  const changed = inputs.map((input, k) => (k === index ? (BigInt(input) + 1n).toString() : input));
  const refused = !(await groth16.verify(key, changed, proof));
  console.log(`snarkjs: with input ${index} changed it is ${refused ? "refused" : "ACCEPTED"}`);
  good &&= refused;
}
// snarkjs keeps worker threads alive.
process.exit(good ? 0 : 1);
