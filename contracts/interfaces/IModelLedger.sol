// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RoundNo, RunId, SiteId} from "../types/Ids.sol";

/// @title Where each model comes from, and whether its makers released it
/// @notice The coordinator records each closed round as a link: head' = keccak256(head ‖ round ‖ base ‖ sum ‖ result), head 0
/// at a run's start, `round` as 32 bytes. The links are events; only the head and the newest result are stored, so a replay of
/// the events proves that none is missing. A dispute takes the last link back by one more, with base = what it struck, sum = 0 and
/// result = the newest result that is left (zero when no round of the run has closed before).
interface IModelLedger {
    /// @notice A closed round led from `base` by `sum` to `result`.
    event LineageExtended(RunId indexed run, RoundNo indexed round, bytes32 base, bytes32 sum, bytes32 result, bytes32 head);
    /// @notice The sum of a recorded round was shown to be wrong: its `result` is no model of the run, `newest` is again.
    event LineageStruck(RunId indexed run, RoundNo indexed round, bytes32 result, bytes32 newest, bytes32 head);
    /// @notice A site would release the run's newest model on this evidence.
    event ReleaseEndorsed(RunId indexed run, SiteId indexed site, bytes32 result, bytes32 evidence);
    /// @notice More than half of the study's members endorsed the same result and evidence.
    event ModelReleased(RunId indexed run, bytes32 result, bytes32 evidence);

    /// @notice Only the coordinator records.
    error ModelLedger_NotCoordinator(address caller);
    /// @notice The caller's site is no member of the run's study now.
    error ModelLedger_NotMember(RunId run, SiteId site);
    /// @notice It is not the newest result of a closed round of the run.
    error ModelLedger_NotNewest(RunId run, bytes32 result, bytes32 newest);
    /// @notice Evidence is the digest of a document, never zero.
    error ModelLedger_ZeroEvidence();
    /// @notice The site has endorsed it.
    error ModelLedger_AlreadyEndorsed(RunId run, SiteId site);

    /// @notice Records a closed round, by the coordinator. Emits {LineageExtended}.
    function extend(RunId run, RoundNo round, bytes32 base, bytes32 sum, bytes32 result) external;

    /// @notice Takes back the last recorded round, and its release, by the coordinator. Emits {LineageStruck}.
    function strike(RunId run, RoundNo round, bytes32 newest) external;

    /// @notice Endorses the run's newest model for release, on the digest of the evidence that the site saw.
    /// @dev Requirements: node of a member of the study now; `result` is the newest; evidence not zero; not yet endorsed.
    /// Emits {ReleaseEndorsed}, and {ModelReleased} once more than half of the members now have endorsed it.
    function endorse(RunId run, bytes32 result, bytes32 evidence) external;

    /// @notice Head of a run's lineage and its newest result; zero before its first closed round.
    function lineageOf(RunId run) external view returns (bytes32 head, bytes32 result);

    /// @notice Evidence on which a run's result was released; zero when it was not.
    function releasedOn(RunId run, bytes32 result) external view returns (bytes32 evidence);

    /// @notice Round in which a result was struck, the last time; zero when it never was. The same bytes may have come out again of a
    /// true sum later: the lineage tells.
    function struckIn(RunId run, bytes32 result) external view returns (RoundNo round);

    /// @notice Sites that endorsed a result on an evidence.
    function endorsements(RunId run, bytes32 result, bytes32 evidence) external view returns (uint256 sites);
}
