// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What an attesting site says of the round's result.
/// @dev Same order as ATTEST_STATUSES in node/ports/chain.ts.
enum Status {
    Continue,
    Finished,
    Refused,
    WrongSum
}
