// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Phases of a round in order. Keying is the place of masked studies, which this version does not offer.
/// @dev Same order as PHASES in node/ports/chain.ts.
enum Phase {
    Keying,
    Contributing,
    Witnessing,
    Publishing,
    Attesting
}
