// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IModelLedger} from "./interfaces/IModelLedger.sol";
import {IPrivacyLedger} from "./interfaces/IPrivacyLedger.sol";
import {ISiteRegistry} from "./interfaces/ISiteRegistry.sol";
import {IStudyRegistry} from "./interfaces/IStudyRegistry.sol";
import {Bitmap} from "./libraries/Bitmap.sol";
import {Disputing} from "./rounds/Disputing.sol";
import {Keying} from "./rounds/Keying.sol";
import {RoundStore} from "./rounds/RoundStore.sol";
import {Evidence} from "./types/Disputes.sol";
import {NO_SITE, RoundNo, RunId, SiteId} from "./types/Ids.sol";
import {RunState} from "./types/RunState.sol";

/// @title MaskedRounds
/// @notice What sites do in masked runs alone, and how any run stops and goes on; rules in IRoundCoordinator.
/// @dev Code of the coordinator that its own contract has no room for (24,576 bytes). The coordinator's constructor makes it, and the coordinator alone
/// runs it, on its own storage and for good: a call of each function below begins there, which makes the step of a limit first. Called by anyone
/// else it finds no runs (UnknownRun).
contract MaskedRounds is Keying, Disputing {
    using Bitmap for uint256;

    constructor(ISiteRegistry sites_, IStudyRegistry studies_, IModelLedger ledger_, IPrivacyLedger privacy_) RoundStore(sites_, studies_, ledger_, privacy_) {}

    /// @notice IRoundCoordinator.key
    function key(RunId id, RoundNo round, bytes32 dealDigest, bytes32 dealCid, uint256 holds, bytes calldata heldDeals) external {
        _key(id, _known(id), round, SITES.nodeSite(msg.sender), KeyedWith(dealDigest, dealCid, holds, heldDeals));
    }

    /// @notice IRoundCoordinator.justify
    function justify(RunId id, RoundNo round, bytes32 began, bytes calldata justification) external {
        _justify(id, _known(id), round, SITES.nodeSite(msg.sender), began, justification);
    }

    /// @notice IRoundCoordinator.dispute
    function dispute(RunId id, RoundNo round, Evidence calldata evidence) external {
        _dispute(id, _known(id), round, SITES.nodeSite(msg.sender), evidence, 0, msg.data[:0]);
    }

    /// @notice IRoundCoordinator.disputePart
    function disputePart(RunId id, RoundNo round, Evidence calldata evidence, uint256 done, bytes calldata partialSum) external {
        _dispute(id, _known(id), round, SITES.nodeSite(msg.sender), evidence, done, partialSum);
    }

    /// @notice IRoundCoordinator.tick of a paused run
    function tick(RunId id) external {
        _tryResume(id, _known(id), NO_SITE);
    }

    /// @notice IRoundCoordinator.ready
    function ready(RunId id) external {
        // Check: a member's first signal in a run that may go on
        Run storage run = _known(id);
        SiteId site = SITES.nodeSite(msg.sender);
        _checkNotOver(id, run);
        _memberNow(run.study, site);
        uint256 signalled = _ready(run);
        if (signalled.has(site)) revert RoundCoordinator_AlreadyReady(id, site);
        // Effect: signalled; a pause may end
        (run.ready, run.anyReady) = (signalled | Bitmap.only(site), true);
        emit SiteReady(id, site);
        if (run.state == RunState.Paused) _tryResume(id, run, site);
    }

    /// @notice IRoundCoordinator.halt
    function halt(RunId id, uint8 reason) external {
        // Check: a member of an exact run that is not over
        Run storage run = _known(id);
        SiteId site = SITES.nodeSite(msg.sender);
        _checkNotOver(id, run);
        if (!run.exact) revert RoundCoordinator_NotExact(id);
        _memberNow(run.study, site);
        // Effect: over
        run.state = RunState.Halted;
        emit RunStateChanged(id, RunState.Halted, site, reason);
    }
}
