// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Phases of a round in order. Keying is of masked studies alone.
/// @dev Same order as PHASES in node/ports/chain.ts.
enum Phase {
    Keying,
    Contributing,
    Witnessing,
    Publishing,
    Attesting
}
