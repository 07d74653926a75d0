// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RoundNo, RunId, SiteId, StudyId} from "../types/Ids.sol";
import {Phase} from "../types/Phase.sol";
import {RunState} from "../types/RunState.sol";
import {Status} from "../types/Status.sol";

/// @title What the coordinator tells, and why it refuses
/// @notice The rules are in IRoundCoordinator.
interface IRoundEvents {
    /// @notice A run began, on this model.
    event RunOpened(RunId indexed run, StudyId indexed study, SiteId indexed site, bytes32 modelRoot, bytes32 modelCid);
    /// @notice A round may be contributed to.
    event RoundOpened(RunId indexed run, RoundNo indexed round, SiteId indexed leader, uint16 turn, uint256 rota, uint256 awaited, bytes32 baseRoot, bytes32 baseCid, uint32 epoch);
    /// @notice A site's key shares are out. `holds`: sites whose shares it holds, `heldDeals` by which deals, and what it hid of them; two sites mask with each other when each holds the
    /// deal that the other keyed with.
    event Keyed(RunId indexed run, RoundNo indexed round, SiteId indexed site, bytes32 dealDigest, bytes32 dealCid, uint256 holds, bytes heldDeals);
    /// @notice A dealer showed the shares of those who say that they do not hold its deal, or had nothing to show. `justification`: the deal and these
    /// shares; whoever reads it holds it against the deal that the dealer keyed with.
    event Justified(RunId indexed run, RoundNo indexed round, SiteId indexed site, bytes justification);
    /// @notice A site committed to its update and to the cohort that it used.
    event Contributed(RunId indexed run, RoundNo indexed round, SiteId indexed site, bytes32 root, bytes32 cid, bytes32 cohortRoot);
    /// @notice A site need not be waited for.
    event Abstained(RunId indexed run, RoundNo indexed round, SiteId indexed site, uint8 reason);
    /// @notice The limit of Contributing began anew, at this site's wish.
    event ContributingExtended(RunId indexed run, RoundNo indexed round, SiteId indexed site);
    /// @notice A phase, attempt or extension began.
    event PhaseBegan(RunId indexed run, RoundNo indexed round, Phase phase, uint8 attempt);
    /// @notice A custodian holds these updates' slice, whole and well-formed.
    event Witnessed(RunId indexed run, RoundNo indexed round, SiteId indexed site, uint8 slice, uint256 held);
    /// @notice Who is in. Never changes.
    event Frozen(RunId indexed run, RoundNo indexed round, uint256 included, bytes32 accumulator);
    /// @notice A sum is published.
    event Published(RunId indexed run, RoundNo indexed round, SiteId indexed site, uint8 attempt, bytes32 sumRoot, bytes32 sumCid);
    /// @notice What a site makes of a publication. `own` = H(site, H(1 ‖ model bytes)).
    event Attested(RunId indexed run, RoundNo indexed round, SiteId indexed site, uint8 attempt, bytes32 modelRoot, bytes32 modelCid, Status status, bytes32 own);
    /// @notice A publication is void: by a majority of WrongSum, or because no result found a majority.
    event PublicationDiscarded(RunId indexed run, RoundNo indexed round, SiteId indexed publisher, uint8 attempt, bool wrongSum);
    /// @notice The majority agreed on the next model.
    event RoundClosed(RunId indexed run, RoundNo indexed round, uint8 attempt, Status status, bytes32 modelRoot, bytes32 modelCid);
    /// @notice The base is kept, with its refusal count + 1.
    event RoundRefused(RunId indexed run, RoundNo indexed round, uint8 attempt, bytes32 modelRoot, bytes32 modelCid);
    /// @notice The round came to nothing in this phase; it is contributed afresh.
    event RoundVoid(RunId indexed run, RoundNo indexed round, Phase phase);
    /// @notice A run's state changed, by `site` or NO_SITE. Reason: of Paused 0 after three voids, 1 too few sites, 2 the publications of a masked round are spent; of Finished
    /// 0 by status, 1 by maxRounds; of Halted as given by the site; of Ended 0 as many publications are spent as can be counted, or
    /// nobody could unmask what is published any more, 1 a sum over updates of this model is published already; else 0.
    event RunStateChanged(RunId indexed run, RunState state, SiteId site, uint8 reason);
    /// @notice A site showed that a publication is wrong at a leaf.
    event Disputed(RunId indexed run, RoundNo indexed round, SiteId indexed site, SiteId publisher, uint8 attempt, uint32 leaf);
    /// @notice A site is there and will be awaited.
    event SiteReady(RunId indexed run, SiteId indexed site);

    /// @notice No such run.
    error RoundCoordinator_UnknownRun(RunId run);
    /// @notice The run is paused or over.
    error RoundCoordinator_RunNotActive(RunId run, RunState state);
    /// @notice The run's current round is another: the call is late, or early.
    error RoundCoordinator_NotCurrentRound(RunId run, RoundNo round, RoundNo current);
    /// @notice The round is in another phase.
    error RoundCoordinator_WrongPhase(RunId run, RoundNo round, Phase phase);
    /// @notice The site's steward has not approved the study, or withdrew.
    error RoundCoordinator_NotApproved(StudyId study, SiteId site);
    /// @notice The site is no active member of the study now.
    error RoundCoordinator_NotMember(StudyId study, SiteId site);
    /// @notice The site was no member when the round opened.
    error RoundCoordinator_NotInRota(RunId run, RoundNo round, SiteId site);
    /// @notice Fewer sites than the study needs would stand in the rota (0 before its first epoch of keys).
    error RoundCoordinator_TooFewSites(StudyId study, uint256 sites, uint256 minSites);
    /// @notice A root or CID is zero.
    error RoundCoordinator_ZeroDigest();
    /// @notice Keys once a round.
    error RoundCoordinator_AlreadyKeyed(RunId run, RoundNo round, SiteId site);
    /// @notice The bitmap names sites that were no member when the round opened, or the caller: its own deal it keys with.
    error RoundCoordinator_NoSuchDeal(RunId run, RoundNo round, uint256 strangers);
    error RoundCoordinator_WrongHeldDeals(RunId run, RoundNo round, uint256 expected, uint256 actual);
    /// @notice Who keyed stands: dealers justify their deals.
    error RoundCoordinator_Justifying(RunId run, RoundNo round);
    /// @notice Sites still key.
    error RoundCoordinator_NotJustifying(RunId run, RoundNo round);
    /// @notice Longer than any justification.
    error RoundCoordinator_TooLong(RunId run, RoundNo round, uint256 length, uint256 most);
    /// @notice Once a round.
    error RoundCoordinator_AlreadyJustified(RunId run, RoundNo round, SiteId site);
    /// @notice The site has no keys in this round of masked vectors.
    error RoundCoordinator_NotKeyed(RunId run, RoundNo round, SiteId site);
    /// @notice The contribution is not charged to a dataset in the PrivacyLedger.
    error RoundCoordinator_NotCharged(RunId run, RoundNo round, SiteId site);
    /// @notice The chain went back, or the limit began anew: the call was made for another block `known` than the one that stands.
    error RoundCoordinator_OtherOpening(RunId run, RoundNo round, uint256 known);
    /// @notice One contribution a round.
    error RoundCoordinator_AlreadyContributed(RunId run, RoundNo round, SiteId site);
    /// @notice The site abstained from this round.
    error RoundCoordinator_AlreadyAbstained(RunId run, RoundNo round, SiteId site);
    /// @notice Nobody waits for the site: it was not in the last round and has not been `ready` since.
    error RoundCoordinator_NotAwaited(RunId run, RoundNo round, SiteId site);
    /// @notice Once a round.
    error RoundCoordinator_AlreadyExtended(RunId run, RoundNo round);
    /// @notice The study has fewer slices.
    error RoundCoordinator_UnknownSlice(uint8 slice, uint8 slices);
    /// @notice The site is no custodian of the slice now.
    error RoundCoordinator_NotCustodian(RunId run, RoundNo round, SiteId site, uint8 slice);
    /// @notice One bitmap a custodian and slice.
    error RoundCoordinator_AlreadyWitnessed(RunId run, RoundNo round, SiteId site, uint8 slice);
    /// @notice The bitmap names sites that did not contribute.
    error RoundCoordinator_NotContributed(RunId run, RoundNo round, uint256 strangers);
    /// @notice No such publication, or another attempt is under way.
    error RoundCoordinator_WrongAttempt(RunId run, RoundNo round, uint8 attempt, uint8 current);
    /// @notice The site's place is before the attempt's first, or its time has not come. Places count from the turn.
    error RoundCoordinator_NotItsTurn(RunId run, RoundNo round, SiteId site, uint256 place, uint256 firstPlace);
    /// @notice Only the frozen set attests.
    error RoundCoordinator_NotIncluded(RunId run, RoundNo round, SiteId site);
    /// @notice One attestation a publication.
    error RoundCoordinator_AlreadyAttested(RunId run, RoundNo round, SiteId site);
    /// @notice WrongSum carries zero root and CID; every other status carries neither zero.
    error RoundCoordinator_BadTuple(Status status, bytes32 modelRoot, bytes32 modelCid);
    /// @notice Only runs of exact studies are halted.
    error RoundCoordinator_NotExact(RunId run);
    /// @notice The site has signalled.
    error RoundCoordinator_AlreadyReady(RunId run, SiteId site);
    /// @notice Only sums of masked vectors are disputed on chain.
    error RoundCoordinator_NotMasked(RunId run);
    /// @notice The round is not closed, or its time to be disputed is over.
    error RoundCoordinator_NotDisputable(RunId run, RoundNo round);
    /// @notice No such leaf, or more leaves than 2^24.
    error RoundCoordinator_LeafOutside(uint256 leaf, uint256 leaves);
    /// @notice They are not the round's sites and roots in order of arrival: those have this accumulator.
    error RoundCoordinator_WrongContributions(RunId run, RoundNo round, bytes32 accumulator);
    /// @notice The caller left no such partial sum of so many sites, at this leaf of this round.
    error RoundCoordinator_OtherPartialSum(RunId run, RoundNo round, uint256 done);
    /// @notice Not one leaf and path for each included site, or for each one missing (in a part: for some of them).
    error RoundCoordinator_WrongUpdates(RunId run, RoundNo round, uint256 bytes_, uint256 wanted);
    /// @notice Leaf and path do not lead to the root of the site's update, or (NO_SITE) of the published sum.
    error RoundCoordinator_WrongPath(SiteId site);
    /// @notice The published sum is right at this leaf.
    error RoundCoordinator_TrueLeaf(RunId run, RoundNo round, uint32 leaf);
}
