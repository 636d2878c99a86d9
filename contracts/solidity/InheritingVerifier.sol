// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {StatementVerifier} from "./StatementVerifier.sol";

/// @notice Used by the tests alone: code after an inherited verification must run, and the domain must be
/// that of the inheriting contract.
contract InheritingVerifier is StatementVerifier {
    uint256 public accepted;

    function accept(uint256[8] calldata proof, uint256 commitment, uint256[] calldata words)
        external
        returns (uint256[] memory copy)
    {
        _verifyStatement(proof, commitment, words);
        accepted += 1;
        // Memory allocated afterwards must be whole.
        copy = words;
    }

    function acceptTooLate(uint256[8] calldata proof, uint256 commitment, uint256[] calldata words)
        external
        view
        returns (uint256[] memory copy)
    {
        copy = words;
        _verifyStatement(proof, commitment, words);
    }
}
