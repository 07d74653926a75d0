// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IModelLedger} from "./interfaces/IModelLedger.sol";
import {IRoundCoordinator} from "./interfaces/IRoundCoordinator.sol";
import {ISiteRegistry} from "./interfaces/ISiteRegistry.sol";
import {IStudyRegistry} from "./interfaces/IStudyRegistry.sol";
import {Bitmap} from "./libraries/Bitmap.sol";
import {Rota} from "./libraries/Rota.sol";
import {RoundNo, RunId, SiteId, StudyId} from "./types/Ids.sol";

/// @title ModelLedger
/// @notice Made by the coordinator's constructor, which alone may extend it.
contract ModelLedger is IModelLedger {
    using Bitmap for uint256;

    struct Lineage {
        bytes32 head;
        bytes32 result;
    }

    ISiteRegistry private immutable SITES;
    IStudyRegistry private immutable STUDIES;
    IRoundCoordinator private immutable COORDINATOR;
    mapping(RunId run => Lineage) private _lineages;
    mapping(RunId run => mapping(bytes32 result => mapping(bytes32 evidence => uint256))) private _endorsements;
    mapping(RunId run => mapping(bytes32 result => bytes32 evidence)) private _released;
    mapping(RunId run => mapping(bytes32 result => RoundNo)) private _struck;

    constructor(ISiteRegistry sites_, IStudyRegistry studies_) {
        (SITES, STUDIES, COORDINATOR) = (sites_, studies_, IRoundCoordinator(msg.sender));
    }

    /// @inheritdoc IModelLedger
    function extend(RunId run, RoundNo round, bytes32 base, bytes32 sum, bytes32 result) external {
        // Check: the coordinator
        _checkCoordinator();
        // Effect: one more link
        Lineage storage l = _lineages[run];
        bytes32 head = keccak256(abi.encode(l.head, round, base, sum, result));
        (l.head, l.result) = (head, result);
        emit LineageExtended(run, round, base, sum, result, head);
    }

    /// @inheritdoc IModelLedger
    function strike(RunId run, RoundNo round, bytes32 newest) external {
        // Check: the coordinator
        _checkCoordinator();
        // Effect: a link that takes the last one back
        Lineage storage l = _lineages[run];
        bytes32 result = l.result;
        bytes32 head = keccak256(abi.encode(l.head, round, result, bytes32(0), newest));
        (l.head, l.result) = (head, newest);
        (_struck[run][result], _released[run][result]) = (round, 0);
        emit LineageStruck(run, round, result, newest, head);
    }

    /// @inheritdoc IModelLedger
    function endorse(RunId run, bytes32 result, bytes32 evidence) external {
        // Check: a member's first word on the newest result
        SiteId site = SITES.nodeSite(msg.sender);
        StudyId study = COORDINATOR.studyOf(run);
        uint256 members = STUDIES.membersNow(study);
        if (!members.has(site)) revert ModelLedger_NotMember(run, site);
        bytes32 newest = _lineages[run].result;
        if (newest == 0 || result != newest) revert ModelLedger_NotNewest(run, result, newest);
        if (evidence == 0) revert ModelLedger_ZeroEvidence();
        uint256 endorsed = _endorsements[run][result][evidence];
        if (endorsed.has(site)) revert ModelLedger_AlreadyEndorsed(run, site);
        // Effect: endorsed, and perhaps released
        endorsed |= Bitmap.only(site);
        _endorsements[run][result][evidence] = endorsed;
        emit ReleaseEndorsed(run, site, result, evidence);
        if (_released[run][result] != 0 || !Rota.isMajority((endorsed & members).size(), members.size())) return;
        _released[run][result] = evidence;
        emit ModelReleased(run, result, evidence);
    }

    /// @inheritdoc IModelLedger
    function lineageOf(RunId run) external view returns (bytes32 head, bytes32 result) {
        Lineage storage l = _lineages[run];
        return (l.head, l.result);
    }

    /// @inheritdoc IModelLedger
    function releasedOn(RunId run, bytes32 result) external view returns (bytes32) {
        return _released[run][result];
    }

    /// @inheritdoc IModelLedger
    function struckIn(RunId run, bytes32 result) external view returns (RoundNo) {
        return _struck[run][result];
    }

    /// @inheritdoc IModelLedger
    function endorsements(RunId run, bytes32 result, bytes32 evidence) external view returns (uint256) {
        return _endorsements[run][result][evidence];
    }

    function _checkCoordinator() private view {
        if (msg.sender != address(COORDINATOR)) revert ModelLedger_NotCoordinator(msg.sender);
    }
}
