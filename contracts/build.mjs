// Compiles the contracts with the pinned solc. Needs `npm ci`.
//
//   node build.mjs                      writes artifacts/
//   node build.mjs --check              writes nothing; fails when an artefact differs
//   node build.mjs --creation FILE      prints the creation code of FILE's last contract
import { readFileSync, writeFileSync } from "node:fs";
import solc from "solc";

const here = new URL(".", import.meta.url);
// Source files by the name which imports use, and the contracts to keep from each.
const sources = {
  "StatementVerifier.sol": {
    path: "../verifier/solidity/StatementVerifier.sol",
    contracts: ["StatementVerifier"],
  },
  "InheritingVerifier.sol": {
    path: "solidity/InheritingVerifier.sol",
    contracts: ["InheritingVerifier"],
  },
};
const settings = {
  evmVersion: "cancun",
  // The straight pipeline keeps the order in which the assembly is written; see docs/decisions.
  viaIR: false,
  optimizer: { enabled: true, runs: 1000000 },
  // No metadata behind the code: the key's words are the code's last bytes, and two builds are equal.
  metadata: { appendCBOR: false, bytecodeHash: "none" },
  outputSelection: {
    "*": { "*": ["abi", "metadata", "evm.bytecode.object", "evm.deployedBytecode.object"] },
  },
};

function compile(files) {
  const input = { language: "Solidity", sources: files, settings };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const messages = output.errors ?? [];
  for (const message of messages) console.error(message.formattedMessage);
  if (messages.some((message) => message.severity === "error")) process.exit(1);
  return output.contracts;
}

function artefact(contract, compiled) {
  const { sources } = JSON.parse(compiled.metadata);
  const digests = Object.entries(sources).map(([name, source]) => [
    name,
    { keccak256: source.keccak256 },
  ]);
  return {
    contract,
    generatedBy: "node build.mjs, in contracts/",
    compiler: solc.version(),
    settings: { ...settings, outputSelection: undefined },
    sources: Object.fromEntries(digests),
    abi: compiled.abi,
    runtimeCode: compiled.evm.deployedBytecode.object,
  };
}

function build(check) {
  const files = {};
  for (const [name, source] of Object.entries(sources)) {
    files[name] = { content: readFileSync(new URL(source.path, here), "utf8") };
  }
  const compiled = compile(files);
  let stale = false;
  for (const [name, source] of Object.entries(sources)) {
    for (const contract of source.contracts) {
      const text = JSON.stringify(artefact(contract, compiled[name][contract]), null, 1) + "\n";
      const path = new URL(`artifacts/${contract}.json`, here);
      if (!check) {
        writeFileSync(path, text);
      } else if (readFileSync(path, "utf8") !== text) {
        console.error(`artifacts/${contract}.json is stale: run node build.mjs`);
        stale = true;
      }
    }
  }
  process.exit(stale ? 1 : 0);
}

const [mode, path] = process.argv.slice(2);
if (mode === "--creation") {
  const contracts = Object.values(compile({ file: { content: readFileSync(path, "utf8") } }).file);
  console.log(contracts.at(-1).evm.bytecode.object);
} else {
  build(mode === "--check");
}
