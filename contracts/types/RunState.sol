// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Life of a run. Paused waits for a quorum of `ready`; the last three are final, but that a dispute may reopen the last round of a masked run that Finished.
/// Ended is for masked runs whose publications are spent; this version never reaches it.
/// @dev Same order as RUN_STATES in node/ports/chain.ts.
enum RunState {
    Active,
    Paused,
    Finished,
    Halted,
    Ended
}
