// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Verifier of zkmargin statements
/// @notice Accepts a statement, a vector of words, with a Groth16 proof over BN254 whose public inputs are
/// `(C, r, y)`: the circuit's commitment to the words, the challenge, and the words' polynomial at the
/// challenge. The rules are in `docs/spec/batch/statement.md`.
/// @dev The verifying key is not part of this source. Its words are the last bytes of the deployed code:
///
///     runtime code ‖ −δ (4) ‖ −α (2) ‖ β (4) ‖ ic₀ (2) ‖ −γ (4) ‖ ic₁ ic₂ ic₃ (6) ‖ circuit digest ‖ provenance
///
/// numbers in words of 32 bytes, points as EIP-196 and EIP-197 encode them. So one compilation serves every
/// key, and one CODECOPY puts the key where the pairing reads it. There is no other state and no owner.
/// A contract may inherit this one; its domain is then the inheriting contract's address.
contract StatementVerifier {
    /// The calldata is not the one encoding of the arguments.
    error StatementEncoding();
    /// Memory was allocated before the call; the verifier works at fixed addresses.
    error StatementMemory();
    /// Fewer words than the header needs.
    error StatementLength();
    /// Word 0 is not the protocol version.
    error StatementVersion();
    /// Word 1 is not the domain of this chain and contract.
    error StatementDomain();
    /// A word or the commitment is not below the scalar field's modulus.
    error StatementNotCanonical();
    /// A point of the proof is the identity.
    error StatementProofIdentity();
    /// The pairing precompile refuses the proof's points: a coordinate not below the base field's modulus,
    /// off the curve, or outside the subgroup. The precompile burns the gas it was given.
    error StatementProofMalformed();
    /// The chain lacks a precompile of EIP-196 or EIP-197.
    error StatementPrecompile();
    /// The pairing equation does not hold.
    error StatementProofRejected();

    /// Word 0 of every statement.
    uint256 internal constant PROTOCOL_VERSION = 1;
    /// keccak256("zkmargin.statement.domain")
    uint256 internal constant DOMAIN_TAG =
        0x8ce376cc0c5db5765401866b2d0520be638f7a7e5359bbf1ceb6b1d724f23415;
    /// Order of the groups: the modulus of words, challenge and value.
    uint256 internal constant MODULUS =
        21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// Bytes of the key, of the circuit's digest and of the provenance at the end of the code.
    uint256 internal constant TAIL_BYTES = 0x300;
    /// Bytes of the key's points alone.
    uint256 internal constant KEY_BYTES = 0x2c0;

    /// @notice Returns if the statement is proven; reverts with the reason if not.
    /// @param proof A, B, C as the precompiles read them: A.x A.y, B.x.c1 B.x.c0 B.y.c1 B.y.c0, C.x C.y
    /// @param commitment `C`
    /// @param words `D`, the protocol version and the domain first
    function verifyStatement(
        uint256[8] calldata proof,
        uint256 commitment,
        uint256[] calldata words
    ) external view {
        // One encoding a statement: the words follow their length, the length follows the three arguments,
        // and nothing follows the words.
        assembly ("memory-safe") {
            if iszero(
                and(
                    eq(words.offset, 0x164),
                    eq(calldatasize(), add(0x164, shl(5, words.length)))
                )
            ) {
                mstore(0, 0x42873e92)
                revert(28, 4)
            }
        }
        _verifyStatement(proof, commitment, words);
    }

    /// @notice keccak256 of the key's words in the code: the key which this contract verifies with.
    function keyDigest() external pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            codecopy(free, sub(codesize(), TAIL_BYTES), KEY_BYTES)
            digest := keccak256(free, KEY_BYTES)
        }
    }

    /// @notice Digest of the circuit which the key is for.
    function circuitDigest() external pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            codecopy(0, sub(codesize(), 0x40), 0x20)
            digest := mload(0)
        }
    }

    /// @notice Where the key comes from: 0 for development (one party can forge), 1 for a ceremony.
    function provenance() external pure returns (uint256 kind) {
        assembly ("memory-safe") {
            codecopy(0, sub(codesize(), 0x20), 0x20)
            kind := mload(0)
        }
    }

    /// @dev Must be called before any memory is allocated. Leaves the free memory pointer as it was. Returns
    /// normally, so that the caller's code after it runs.
    ///
    /// Memory: 0x80 a block of 32 words, 0x480 the hashed words; then, from 0x80 again, the pairing's
    /// input of four pairs (A, B) (C, −δ) (−α, β) (X, −γ) and behind it ic₁ ic₂ ic₃ and room for sums.
    function _verifyStatement(
        uint256[8] calldata proof,
        uint256 commitment,
        uint256[] calldata words
    ) internal view {
        assembly {
            function fail(selector) {
                mstore(0, selector)
                revert(28, 4)
            }

            if iszero(eq(mload(0x40), 0x80)) { fail(0x30a391e9) }
            let p := MODULUS
            let r := 0
            let y := 0

            // The header binds the statement to this protocol, chain and contract.
            {
                if lt(words.length, 2) { fail(0x3398a83c) }
                if iszero(eq(calldataload(words.offset), PROTOCOL_VERSION)) {
                    fail(0xaa9a9e39)
                }
                mstore(0x80, DOMAIN_TAG)
                mstore(0xa0, PROTOCOL_VERSION)
                mstore(0xc0, chainid())
                mstore(0xe0, address())
                let domain := mod(keccak256(0x80, 0x80), p)
                if iszero(eq(calldataload(add(words.offset, 0x20)), domain)) {
                    fail(0x3db79420)
                }

                // r = keccak256(domain ‖ C ‖ number of words ‖ words) mod p
                mstore(0x480, domain)
                mstore(0x4a0, commitment)
                mstore(0x4c0, words.length)
                let size := shl(5, words.length)
                calldatacopy(0x4e0, words.offset, size)
                r := mod(keccak256(0x480, add(0x60, size)), p)
                // Zeros behind the last word fill its block; high coefficients of zero change no value.
                calldatacopy(add(0x4e0, size), calldatasize(), 0x3e0)
            }

            // y = Σ word_k · r^k by Horner's rule from the last block to the first, each block copied to 0x80
            // so that its words have fixed addresses. `mulmod` takes an unreduced operand: a sum of a reduced
            // and a canonical word is below 2^255.
            let canonical := lt(commitment, p)
            for {
                let at := add(0x4e0, shl(10, shr(5, sub(words.length, 1))))
            } gt(at, 0x4c0) {
                at := sub(at, 0x400)
            } {
                mcopy(0x80, at, 0x400)
                canonical :=
                    and(lt(mload(0x80), p),
                    and(lt(mload(0xa0), p),
                    and(lt(mload(0xc0), p),
                    and(lt(mload(0xe0), p),
                    and(lt(mload(0x100), p),
                    and(lt(mload(0x120), p),
                    and(lt(mload(0x140), p),
                    and(lt(mload(0x160), p),
                    canonical))))))))
                canonical :=
                    and(lt(mload(0x180), p),
                    and(lt(mload(0x1a0), p),
                    and(lt(mload(0x1c0), p),
                    and(lt(mload(0x1e0), p),
                    and(lt(mload(0x200), p),
                    and(lt(mload(0x220), p),
                    and(lt(mload(0x240), p),
                    and(lt(mload(0x260), p),
                    canonical))))))))
                canonical :=
                    and(lt(mload(0x280), p),
                    and(lt(mload(0x2a0), p),
                    and(lt(mload(0x2c0), p),
                    and(lt(mload(0x2e0), p),
                    and(lt(mload(0x300), p),
                    and(lt(mload(0x320), p),
                    and(lt(mload(0x340), p),
                    and(lt(mload(0x360), p),
                    canonical))))))))
                canonical :=
                    and(lt(mload(0x380), p),
                    and(lt(mload(0x3a0), p),
                    and(lt(mload(0x3c0), p),
                    and(lt(mload(0x3e0), p),
                    and(lt(mload(0x400), p),
                    and(lt(mload(0x420), p),
                    and(lt(mload(0x440), p),
                    and(lt(mload(0x460), p),
                    canonical))))))))
                y :=
                    add(mload(0x380), mulmod(r,
                    add(mload(0x3a0), mulmod(r,
                    add(mload(0x3c0), mulmod(r,
                    add(mload(0x3e0), mulmod(r,
                    add(mload(0x400), mulmod(r,
                    add(mload(0x420), mulmod(r,
                    add(mload(0x440), mulmod(r,
                    add(mload(0x460), mulmod(r,
                    y, p)), p)), p)), p)), p)), p)), p)), p))
                y :=
                    add(mload(0x280), mulmod(r,
                    add(mload(0x2a0), mulmod(r,
                    add(mload(0x2c0), mulmod(r,
                    add(mload(0x2e0), mulmod(r,
                    add(mload(0x300), mulmod(r,
                    add(mload(0x320), mulmod(r,
                    add(mload(0x340), mulmod(r,
                    add(mload(0x360), mulmod(r,
                    y, p)), p)), p)), p)), p)), p)), p)), p))
                y :=
                    add(mload(0x180), mulmod(r,
                    add(mload(0x1a0), mulmod(r,
                    add(mload(0x1c0), mulmod(r,
                    add(mload(0x1e0), mulmod(r,
                    add(mload(0x200), mulmod(r,
                    add(mload(0x220), mulmod(r,
                    add(mload(0x240), mulmod(r,
                    add(mload(0x260), mulmod(r,
                    y, p)), p)), p)), p)), p)), p)), p)), p))
                y :=
                    add(mload(0x80), mulmod(r,
                    add(mload(0xa0), mulmod(r,
                    add(mload(0xc0), mulmod(r,
                    add(mload(0xe0), mulmod(r,
                    add(mload(0x100), mulmod(r,
                    add(mload(0x120), mulmod(r,
                    add(mload(0x140), mulmod(r,
                    add(mload(0x160), mulmod(r,
                    y, p)), p)), p)), p)), p)), p)), p)), p))
            }
            if iszero(canonical) { fail(0xf3b35055) }
            y := mod(y, p)

            // The proof and the key, in the pairing's order.
            calldatacopy(0x80, proof, 0x100)
            codecopy(0x180, sub(codesize(), TAIL_BYTES), KEY_BYTES)
            // No point of the groups but the identity has the coordinate x = 0.
            if or(
                or(iszero(mload(0x80)), iszero(or(mload(0xc0), mload(0xe0)))),
                iszero(mload(0x140))
            ) { fail(0xba876585) }

            // X = ic₀ + C·ic₁ + r·ic₂ + y·ic₃, from the last: a scalar overwrites the point behind it.
            // A missing precompile succeeds and returns nothing, hence the check of what each returned.
            // The arguments of `and` are evaluated from the right.
            mstore(0x440, y)
            let ok := staticcall(gas(), 7, 0x400, 0x60, 0x480, 0x40)
            // Checked at once: without precompile 7 the next call would add what is no point.
            if iszero(and(eq(returndatasize(), 0x40), ok)) { fail(0xb6349bc3) }
            mstore(0x400, r)
            ok := and(ok, staticcall(gas(), 7, 0x3c0, 0x60, 0x4c0, 0x40))
            ok := and(eq(returndatasize(), 0x40), ok)
            ok := and(ok, staticcall(gas(), 6, 0x480, 0x80, 0x480, 0x40))
            ok := and(eq(returndatasize(), 0x40), ok)
            mstore(0x3c0, commitment)
            ok := and(ok, staticcall(gas(), 7, 0x380, 0x60, 0x4c0, 0x40))
            ok := and(eq(returndatasize(), 0x40), ok)
            ok := and(ok, staticcall(gas(), 6, 0x480, 0x80, 0x480, 0x40))
            ok := and(eq(returndatasize(), 0x40), ok)
            mcopy(0x4c0, 0x2c0, 0x40)
            ok := and(ok, staticcall(gas(), 6, 0x480, 0x80, 0x2c0, 0x40))
            ok := and(eq(returndatasize(), 0x40), ok)
            if iszero(ok) { fail(0xb6349bc3) }

            // e(A, B) · e(C, −δ) · e(−α, β) · e(X, −γ) = 1; the result word is zero before and lies outside
            // the input.
            mstore(0, 0)
            if iszero(staticcall(gas(), 8, 0x80, 0x300, 0, 0x20)) {
                fail(0xd27cc984)
            }
            if iszero(eq(returndatasize(), 0x20)) { fail(0xb6349bc3) }
            if iszero(eq(mload(0), 1)) { fail(0x9f3c087a) }
        }
    }
}
