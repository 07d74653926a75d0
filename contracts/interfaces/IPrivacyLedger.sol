// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RoundNo, RunId, SiteId, StudyId} from "../types/Ids.sol";

/// @title What each dataset has given away, and how much more a study may take
/// @notice A study with a policy is *accounted*: each contribution of a site is charged to a dataset of the site before the site trains, and refused
/// once the dataset has spent the study's limit, in whatever studies and runs. A round that comes to nothing stays charged. Words as in Lanes.
/// The coordinator takes no contribution to a round of an accounted study that was not charged (RoundCoordinator_NotCharged).
/// Which rows a dataset has is the site's word: the ledger enforces the sums, not the name. Made by the coordinator. No owner.
interface IPrivacyLedger {
    /// @notice A study is accounted, for ever, with these words.
    event PolicySet(StudyId indexed study, SiteId indexed site, uint256 charge, uint256 limit);
    /// @notice A contribution is charged; `spent` is what the site's dataset has given away with it.
    event Charged(RunId indexed run, RoundNo indexed round, SiteId indexed site, bytes32 dataset, uint256 spent);

    /// @notice Only the site that published a study says what it may spend.
    error PrivacyLedger_NotPublisher(StudyId study, SiteId site);
    /// @notice The study has a policy, or a steward has approved it without.
    error PrivacyLedger_TooLate(StudyId study);
    /// @notice Needs a charge from 1 in every lane, a limit below 2^31 - 1 in every lane, and room for one charge.
    error PrivacyLedger_BadPolicy(uint256 charge, uint256 limit);
    /// @notice Only the coordinator that made the ledger opens runs.
    error PrivacyLedger_NotCoordinator(address caller);
    /// @notice The study is not accounted.
    error PrivacyLedger_NoPolicy(StudyId study);
    /// @notice A dataset has a name.
    error PrivacyLedger_ZeroDataset();
    /// @notice The site is charged for this round of the run, or a later one.
    error PrivacyLedger_AlreadyCharged(RunId run, RoundNo round, SiteId site);
    /// @notice One more contribution would bring the dataset above the study's limit.
    error PrivacyLedger_LimitReached(SiteId site, bytes32 dataset, uint256 spent, uint256 limit);

    /// @notice Makes a study accounted, before anybody approves it.
    /// @dev Requirements, in this order: known study (StudyRegistry_UnknownStudy); node of the publishing site (NotPublisher); no policy yet and
    /// no approval (TooLate); words that can work (BadPolicy). Emits {PolicySet}.
    /// @param charge what one contribution costs
    /// @param limit what a dataset may have spent, all studies counted, after a contribution to this one
    function setPolicy(StudyId study, uint256 charge, uint256 limit) external;

    /// @notice Called by the coordinator when a run opens: makes the words in which an accounted study's run keeps who was charged last, so that no
    /// charge pays for a new one. They do for all sites of the registry, and for eight more at least that are admitted while the run lasts.
    /// @return accounted whether the study is
    function begin(RunId run, StudyId study) external returns (bool accounted);

    /// @notice Makes the word in which the caller's dataset adds up, so that its first charge costs what the later ones do. Changes nothing else, and nothing
    /// the second time; a dataset that was not prepared is charged as well, for some 17,000 gas more the first time.
    /// @dev Requirements, in this order: node of a site (SiteRegistry_NotNode); a dataset's name (ZeroDataset).
    function prepare(bytes32 dataset) external;

    /// @notice Charges the caller's dataset for its contribution to a round; to be called before it trains.
    /// @dev Requirements, in this order: known run (RoundCoordinator_UnknownRun); node of a site (SiteRegistry_NotNode); accounted study (NoPolicy);
    /// a dataset's name (ZeroDataset); a later round than was charged last in this run (AlreadyCharged); within the limit (LimitReached).
    /// Emits {Charged}.
    /// @param dataset digest that names the rows; the same rows by the same name in all studies
    function charge(RunId run, RoundNo round, bytes32 dataset) external;

    /// @notice A study's words; zero without a policy.
    function policyOf(StudyId study) external view returns (uint256 charge, uint256 limit);

    /// @notice What a site's dataset has spent in all studies.
    function spentOf(SiteId site, bytes32 dataset) external view returns (uint256 spent);

    /// @notice Whether a dataset's first charge costs no more than later ones: it was prepared, or charged.
    function isPrepared(SiteId site, bytes32 dataset) external view returns (bool);

    /// @notice The last round of a run for which a site was charged; 0 for none.
    function lastCharged(RunId run, SiteId site) external view returns (RoundNo round);
}
