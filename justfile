# Every recipe is a command a person would type; `.ci/run` runs `check` and `test` and a little more.

# The main job on recorded data.
demo out="target/demo":
    cargo demo --out {{out}}

# The whole suite.
test:
    cargo test --release --workspace

# Formatting, lints, documentation, licences.
check:
    .ci/columns
    .ci/commits
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features -- -D warnings
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --quiet
    cargo deny --all-features check licenses bans sources

# Compares the ledgers of shapes and audits with the circuits, all shapes.
ledgers:
    cargo xtask shape
    cargo xtask audit
    cargo xtask shape --shape small
    cargo xtask shape --shape large
    cargo xtask audit --shape small
    cargo xtask audit --shape large

# The simulator's deep run: more than a million operations, 4,000 batches satisfied, 200 and more proven. Goes on where it was cut.
simulate record="target/simulation.jsonl":
    cargo run --release -p zkmargin-simulator -- --worlds 40 --operations 30000 --tiny 40 --batches 100 --proofs 5 --record {{record}}

# Submits a proof's files to their contract on an EVM in this process.
evm out="target/demo":
    cargo xtask evm {{out}} --dev

# Replays the recorded crashes and rewrites the tables and drawings of docs/stress.md.
stress data="../shared/data":
    cargo run --release -p zkmargin-stress -- --data {{data}}

# Recompiles the contracts and compares the artefacts.
contracts:
    npm ci --prefix contracts
    node contracts/build.mjs --check

# Lets snarkjs judge the demonstration's proof.
snarkjs out="target/demo":
    npm ci --prefix tools/snarkjs
    node tools/snarkjs/verify.mjs {{out}}

# What CI runs.
ci:
    bash .ci/run
