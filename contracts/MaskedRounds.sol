// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IModelLedger} from "./interfaces/IModelLedger.sol";
import {IPrivacyLedger} from "./interfaces/IPrivacyLedger.sol";
import {ISiteRegistry} from "./interfaces/ISiteRegistry.sol";
import {IStudyRegistry} from "./interfaces/IStudyRegistry.sol";
import {Disputing} from "./rounds/Disputing.sol";
import {Keying} from "./rounds/Keying.sol";
import {RoundStore} from "./rounds/RoundStore.sol";
import {Evidence} from "./types/Disputes.sol";
import {RoundNo, RunId} from "./types/Ids.sol";

/// @title MaskedRounds
/// @notice What sites do in masked runs alone; rules in IRoundCoordinator.
/// @dev Code of the coordinator that its own contract has no room for (24,576 bytes). The coordinator's constructor makes it, and the coordinator alone
/// runs it, on its own storage and for good: a call of each function below begins there, which makes the step of a limit first. Called by anyone
/// else it finds no runs (UnknownRun).
contract MaskedRounds is Keying, Disputing {
    constructor(ISiteRegistry sites_, IStudyRegistry studies_, IModelLedger ledger_, IPrivacyLedger privacy_) RoundStore(sites_, studies_, ledger_, privacy_) {}

    /// @notice IRoundCoordinator.key
    function key(RunId id, RoundNo round, bytes32 dealDigest, bytes32 dealCid, uint256 holds) external {
        _key(id, _known(id), round, SITES.nodeSite(msg.sender), dealDigest, dealCid, holds);
    }

    /// @notice IRoundCoordinator.dispute
    function dispute(RunId id, RoundNo round, Evidence calldata evidence) external {
        _dispute(id, _known(id), round, SITES.nodeSite(msg.sender), evidence, 0, msg.data[:0]);
    }

    /// @notice IRoundCoordinator.disputePart
    function disputePart(RunId id, RoundNo round, Evidence calldata evidence, uint256 done, bytes calldata partialSum) external {
        _dispute(id, _known(id), round, SITES.nodeSite(msg.sender), evidence, done, partialSum);
    }
}
