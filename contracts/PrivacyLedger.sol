// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPrivacyLedger} from "./interfaces/IPrivacyLedger.sol";
import {IRoundCoordinator} from "./interfaces/IRoundCoordinator.sol";
import {ISiteRegistry} from "./interfaces/ISiteRegistry.sol";
import {IStudyRegistry} from "./interfaces/IStudyRegistry.sol";
import {Lanes} from "./libraries/Lanes.sol";
import {RoundNo, RunId, SiteId, StudyId} from "./types/Ids.sol";

/// @title PrivacyLedger
/// @notice Made by the coordinator's constructor, which asks it before it takes a contribution.
contract PrivacyLedger is IPrivacyLedger {
    using Lanes for uint256;

    struct Policy {
        uint256 charge;
        uint256 limit;
    }

    ISiteRegistry private immutable SITES;
    IStudyRegistry private immutable STUDIES;
    IRoundCoordinator private immutable COORDINATOR;
    mapping(StudyId study => Policy) private _policies;
    mapping(SiteId site => mapping(bytes32 dataset => uint256)) private _spent;
    /// @dev Eight sites share a word, 32 bits each: the first of them alone pays for a new one in a run.
    mapping(RunId run => mapping(uint256 group => uint256 rounds)) private _last;

    constructor(ISiteRegistry sites_, IStudyRegistry studies_) {
        (SITES, STUDIES, COORDINATOR) = (sites_, studies_, IRoundCoordinator(msg.sender));
    }

    /// @inheritdoc IPrivacyLedger
    function setPolicy(StudyId study, uint256 charge_, uint256 limit) external {
        // Check: the publisher, before any approval, words that can work
        SiteId publisher = STUDIES.study(study).publisher;
        SiteId site = SITES.nodeSite(msg.sender);
        if (site != publisher) revert PrivacyLedger_NotPublisher(study, site);
        Policy storage p = _policies[study];
        if (p.charge != 0 || STUDIES.approvals(study) != 0) revert PrivacyLedger_TooLate(study);
        bool works = charge_.isCharge() && limit.isLimit() && charge_.isWithin(limit);
        if (!works) revert PrivacyLedger_BadPolicy(charge_, limit);
        // Effect: accounted
        (p.charge, p.limit) = (charge_, limit);
        emit PolicySet(study, site, charge_, limit);
    }

    /// @inheritdoc IPrivacyLedger
    function charge(RunId run, RoundNo round, bytes32 dataset) external {
        // Check: a site's next charge in the run, within the limit
        StudyId study = COORDINATOR.studyOf(run);
        SiteId site = SITES.nodeSite(msg.sender);
        Policy storage p = _policies[study];
        uint256 cost = p.charge;
        if (cost == 0) revert PrivacyLedger_NoPolicy(study);
        if (dataset == 0) revert PrivacyLedger_ZeroDataset();
        (uint256 group, uint256 shift) = (SiteId.unwrap(site) / 8, 32 * (SiteId.unwrap(site) % 8));
        uint256 rounds = _last[run][group];
        if (RoundNo.unwrap(round) <= uint32(rounds >> shift)) revert PrivacyLedger_AlreadyCharged(run, round, site);
        uint256 before = _spent[site][dataset];
        uint256 spent = before.add(cost);
        if (!spent.isWithin(p.limit)) revert PrivacyLedger_LimitReached(site, dataset, before, p.limit);
        // Effect: spent
        _spent[site][dataset] = spent;
        _last[run][group] = (rounds & ~(uint256(type(uint32).max) << shift)) | (uint256(RoundNo.unwrap(round)) << shift);
        emit Charged(run, round, site, dataset, spent);
    }

    /// @inheritdoc IPrivacyLedger
    function policyOf(StudyId study) external view returns (uint256, uint256) {
        Policy storage p = _policies[study];
        return (p.charge, p.limit);
    }

    /// @inheritdoc IPrivacyLedger
    function spentOf(SiteId site, bytes32 dataset) external view returns (uint256) {
        return _spent[site][dataset];
    }

    /// @inheritdoc IPrivacyLedger
    function lastCharged(RunId run, SiteId site) external view returns (RoundNo) {
        uint256 id = SiteId.unwrap(site);
        return RoundNo.wrap(uint32(_last[run][id / 8] >> (32 * (id % 8))));
    }
}
