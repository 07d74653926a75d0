// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Life of a run. Paused waits for a quorum of `ready`; the last three are final, but that a dispute may reopen the last round of a masked run that Finished or Ended.
/// Ended is a masked run that could only go on by showing another sum over updates of one model.
/// @dev Same order as RUN_STATES in node/ports/chain.ts.
enum RunState {
    Active,
    Paused,
    Finished,
    Halted,
    Ended
}
