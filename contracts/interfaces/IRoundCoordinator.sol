// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Evidence} from "../types/Disputes.sol";
import {RoundNo, RunId, StudyId} from "../types/Ids.sol";
import {RunSummary, RunView} from "../types/Rounds.sol";
import {Status} from "../types/Status.sol";
import {IRoundEvents} from "./IRoundEvents.sol";

/// @title Rounds, in turns
/// @notice Moves each run from round to round: who leads, who is in, what was published, what the sites make of it.
/// The leader has no discretion; a silent leader is replaced, a silent site only shrinks the set. No owner.
///
/// # Words
/// *Rota*: snapshot of the sites when a round opens (IStudyRegistry.rotaNow), in ascending order of site id; n is its size.
/// *Turn*: index of the leader in the rota. *Place* p of a site: (index - turn) mod n; the leader has place 0.
/// *Majority* of a set: more than half of it. *Now*: block.timestamp and block.number of the call.
///
/// # Limits
/// A limit (seconds S, blocks B) has passed when now - since is at least S seconds *and* at least B blocks. k thirds of it have
/// passed when 3·elapsed seconds >= k·S and 3·elapsed blocks >= k·B. `since` is the block in which the phase, attempt or
/// extension was begun by a call, not the moment at which an earlier limit passed; so one call makes one step at most.
///
/// # Every call
/// in this order: the run exists (UnknownRun); the caller is a site's node account (SiteRegistry_NotNode); the run's limit is
/// looked at, and when it has passed the step of its phase is made (below, *at the limit*), events included; then the call's
/// own checks, in the order given with it, on the state after that step. A call that fails undoes the step too: `tick` makes it.
/// Not yet checked by others: *approved* means that the site's steward approved the study and has not withdrawn (NotApproved),
/// *member* that the site is in the round's rota (NotInRota).
///
/// # A round opens
/// when a run opens, when the last round closes, is refused or void (unless the run ends or pauses), when a pause ends.
/// - rota and epoch are read from IStudyRegistry.rotaNow; with fewer than minSites in it the run pauses instead (reason 1).
/// - The turn goes to the first site of the rota that is not passed over and comes after the last round's leader in cyclic
///   order of ids (in a run's first round: the lowest id). Each passed-over site that it steps over is passed over once less.
///   When the whole rota is passed over, all is forgiven and the first after the last leader is taken.
/// - awaited = sites of the rota that contributed to the last opened round of this run (keyed, and did not abstain, when it ended in Keying), or were not in its rota, or signalled
///   `ready` since it opened (but who asked for more time in it and did not come). First round of a run, and a
///   deep one: the whole rota; first round after a pause: the whole rota but such a one. A deep one after one that was void in Keying
///   awaits as others do. Of a masked study, where fewer than `quorum` would be awaited, it is the whole rota.
/// - It is *deep* when it opens because a round was void in Publishing or Attesting, or because a deep one was void. (A pause between
///   ends that, as every close and refusal does.)
/// - `ready` signals are used up. Phase Contributing begins, of a masked study Keying. Emits {RoundOpened}, and no {PhaseBegan} for
/// this first phase.
///
/// # Keying
/// Of masked studies alone, and of the sites that the round awaits when it opens, its *dealers*: each deals to each, so that others would
/// have no shares. The round needs more than its quorum where that is less than two thirds of them: *enough* is quorum or, of a masked study
/// with k dealers, floor(2k / 3) + 1 if that is more. So many hold shares of each secret and must release them to unmask a sum; fewer
/// could not. All know k before they deal, and nobody lowers it by staying away.
/// Ends when every awaited site that is still approved has keyed or abstained, and enough, and 5, have keyed (looked at by `key` and
/// `abstain`); *at the limit*: with enough that keyed, else Void. Then Contributing begins: only sites that keyed contribute, and are awaited.
/// Where those that keyed do not all hold the same deals, the very ones that were keyed with, they *justify* first: nobody keys any more, the limit begins anew
/// ({PhaseBegan} with Keying), and each dealer shows the shares of whoever lacks its deal. That ends when every site that keyed and is still approved has
/// justified or abstained, and *at the limit*, when who did not counts as abstained. With enough that keyed and did not abstain Contributing begins, else Void. Who masks with whom follows from {Keyed} and {Justified}, by rules that the contract does not know.
///
/// # Contributing
/// Ends when every awaited site that is still approved has contributed or abstained, and enough (`quorum`; above) have contributed
/// (looked at by `contribute` and `abstain`); *at the limit*: with enough contributions, else Void. Then Witnessing begins.
/// The limit begins anew once, when an awaited site asks for it in time (`extend`); no {PhaseBegan} tells that, since no phase
/// begins. Who asks and then does not contribute is not awaited in the next round, whatever it signals, and cannot ask there, unless that is deep.
///
/// # Witnessing
/// Custodians of slice s (from 0) are the places s, s + 1, … (mod n, counted from the turn): min(3, n) of them at first, all n in
/// a deep round. q = min(2, n); in a deep round q = floor(n / 2) + 1: while more than half are honest, what only liars claim is out,
/// and what the honest hold is in.
/// An update *stands* in a slice when q bitmaps of the slice name it. A slice is *heard* when it has q bitmaps; it is *settled* when all its custodians witnessed or every contributed update stands in it. When all slices are settled, and
/// *at the limit* when all are heard, the *standing set* is looked at: contributed sites whose update stands in every slice and
/// that are still approved. With enough of them it is frozen, once: {Frozen}, and Publishing begins, attempt 0, first place 0.
/// Fewer, or a slice not heard at the limit: each slice in which a contributed update does not stand gets three more places (at
/// most n in all) and the phase begins again, earlier bitmaps counting ({PhaseBegan} with Witnessing again); Void instead (no
/// {Frozen}) when such slices have the whole rota as custodians already, or fewer than enough contributors are still approved.
/// A deep round has no places to add: its phase begins again at most ceil(n / 3) - 1 times, as another's may, and not once all
/// slices are settled.
///
/// # Publishing
/// In an attempt with first place f, place p >= f may publish once p - f thirds of the limit have passed. Publication begins
/// Attesting. If its publisher is not the site at place f, that site missed its turn: it is passed over for its next three.
/// *At the limit*: when max(3, n - f) thirds have passed, the site at place f is passed over, and Void.
///
/// # Attesting
/// A tuple is (model root, model CID digest, status). Once the majority of the included set attested the same tuple:
/// - Continue, Finished: **Closed**; its model becomes the run's, closedRounds rises, {RoundClosed}, the ledger records it. Run
///   Finished (reason 0) on Finished, or (reason 1) when closedRounds reaches maxRounds; else the next round opens.
/// - Refused: **Refused**; the tuple's model (the base with its refusal count + 1) becomes the run's, {RoundRefused}, the next
///   round opens.
/// - WrongSum: the publication is discarded.
/// When all included sites attested, or *at the limit*, without such a tuple, the publication is discarded. Sites whose own rows divide them so agree on the
/// next one: where one tuple of Continue or Finished had a majority together with one of Refused, honest sites of a study with votes attest Refused. Not the
/// contract: it cannot tell the base with its refusal count + 1 from a model that the fewer made up.
/// Discarded: {PublicationDiscarded}; when min(n, 5) publications were made (of a round that stayed: since its last pause), or its publisher had the last place, Void; else
/// Publishing begins again: attempt + 1, first place = the publisher's + 1.
///
/// # Void, pause, end
/// Void: {RoundVoid} with the phase; the third in a row pauses the run (reason 0), else a round opens. Closed and Refused end
/// the row. A pause uses up `ready` signals; it ends (state Active, row 0, a round opens) once more than half of the study's
/// members now (IStudyRegistry.membersNow) are ready and rotaNow has minSites; looked at by `ready` and by `tick`.
/// Finished, Halted, Ended are final. {RunStateChanged} tells each change but the opening.
///
/// # One set a model
/// With a publication the sites of a masked study unmask: what they release for one frozen set, and another for a second set over the same
/// updates, would show single updates. So in a masked run no second set of updates of one model is ever published: where a round would be void, or open, on a model
/// of which a sum was published, there is neither {RoundVoid} nor {RoundOpened}. A round that would be void *stays*: the run pauses (reason 2), and
/// with the end of the pause, for which so many of those who keyed have to be ready as it takes to unmask it (floor(2m / 3) + 1 of the m that were awaited when it
/// opened: `threshold`), Publishing begins again: the same set, place 0, attempts counted on, as many publications as before. That is so as often as
/// the round would be void: whoever is away stops no run, nor does who says that it is there and shows no shares. It is Ended (reason 0) when a round that would be void has so
/// many publications behind it that a whole row of five more would exceed 240; when a pause would end, and so many of those who keyed are members no more that nobody could
/// unmask it; and when a dispute strikes the round for the seventh time after it closed, since its place in the ring is needed then. It is Ended at once
/// (reason 1) where a round leads to a model that an earlier one began from. Void before any publication
/// shows nothing: sites draw new keys, and another set may be frozen.
///
/// # Disputes
/// Of masked studies alone: a leaf on chain shows nothing of a masked vector, but of an open one it would show patients' sums. Any
/// member now, in the frozen set or not, shows alone that a publication is wrong at one leaf; why a true sum is never struck and a
/// false one always can be is told in ILeafJudge. A publication *stands* while it is being attested, and after its round closed
/// until a later round of the run freezes (while it is one of the last 8 opened, and, in a Finished or Ended run, until a limit of Publishing has
/// passed since it closed). Struck: {Disputed}; its publisher is passed over for its next three turns. Then,
/// - being attested: the publication is discarded, as above.
/// - its round closed: the round that is open since is over ({RoundVoid}, not counted in the row), the run's model and closedRounds
///   are again what they were before the round closed, the ledger strikes its result, a paused, Finished or Ended run is Active again
///   ({RunStateChanged}), the row of voids ends, and the round is the run's current one again, its publication discarded as above: the
///   same frozen set is published once more. Numbers of rounds are not used twice. The turn after it is given as if no other round
///   had been opened. A halted run stays halted: then only {PublicationDiscarded}, and model, count and ledger go back.
///
/// # Late attestations
/// An attestation of a publication that is no longer being attested (its round over, or discarded, or the run at rest) is
/// recorded by its event and counts for nothing, while its round is one of the run's last 8. No error, once per site for the
/// last publication of a round.
///
/// # Storage
/// A ring of 8 rounds a run; the rest is events. CIDs and cohort roots of updates are in events only. `accumulator` starts at 0
/// and takes each contribution as keccak256(abi.encode(accumulator, site as uint256, root)): who has the roots in order of
/// arrival can prove them, so that leaves can be added up again on chain. Roots are SHA-256 Merkle roots (leaf prefix 0x00,
/// node prefix 0x01, as in RFC 6962) over 1 KiB leaves of little-endian ring words, the last padded with zeros.
interface IRoundCoordinator is IRoundEvents {
    /// @notice Opens a run and its first round.
    /// @dev Requirements, in this order: known study (StudyRegistry_UnknownStudy); the caller is a site's node account, the site
    /// a member now (NotMember); no zero digest; rotaNow has minSites (TooFewSites).
    /// Emits {RunOpened}, {RoundOpened}.
    function openRun(StudyId study, bytes32 modelRoot, bytes32 modelCid) external returns (RunId run);

    /// @notice Says that the caller's key shares for this round of masked vectors are out, and whose it holds.
    /// @dev Requirements, in this order: run active; current round; Keying (WrongPhase: an open study has none); approved; member; no
    /// zero digest; `holds` names members only, and not the caller (NoSuchDeal); 20 bytes for each of them, and 32 more for those below the caller (WrongHeldDeals); neither keyed nor abstained; awaited (NotAwaited); deals are not
    /// being justified yet (Justifying). Emits {Keyed}, and {PhaseBegan} when it was the last awaited.
    /// @param dealDigest root of the caller's deal: its encrypted shares, or the names of these
    /// @param dealCid digest of that deal's CID
    /// @param holds sites whose shares for the caller it holds
    /// @param heldDeals for each of these, lowest first, the first 20 bytes of SHA-256(root, CID) of the deal that they are of, and of sites below the
    /// caller's the secret that the two have from that deal, hidden (32 bytes)
    function key(RunId run, RoundNo round, bytes32 dealDigest, bytes32 dealCid, uint256 holds, bytes calldata heldDeals) external;

    /// @notice Shows in public the shares that the caller dealt to those who keyed and say that they do not hold its deal; or that it has nothing to show.
    /// @dev Requirements, in this order: run active; current round; Keying; approved; deals are being justified (NotJustifying); keyed (NotKeyed); not yet
    /// (AlreadyJustified); 115,200 bytes at most (TooLong); on the history that the caller knew (OtherOpening). Emits {Justified}, and {PhaseBegan} when it was the last.
    /// @param began hash of the block in which justifying began, as the site knew it: who lacks whose deal follows from what stands up to there. Looked at as
    /// `opening` of {contribute}. Zero: on any history
    /// @param justification the deal that it keyed with and these shares, as node/wire/masking/justification.ts has them; the contract does not look at it
    function justify(RunId run, RoundNo round, bytes32 began, bytes calldata justification) external;

    /// @notice Commits to the caller's update.
    /// @dev Requirements, in this order: run active; current round; Contributing; approved; member; of a masked study keyed (NotKeyed);
    /// of an accounted study charged (NotCharged; IPrivacyLedger); no zero digest; the opening that stands (OtherOpening); neither contributed nor abstained.
    /// Emits {Contributed}, and {PhaseBegan} when it was the last awaited.
    /// @param root SHA-256 Merkle root of the update's ring words
    /// @param cid digest of the CID of the encrypted update
    /// @param cohortRoot root of the cohort that was used
    /// @param opening hash of the block in which the round opened, or of a masked study that in which Contributing began (or began anew), as the site knew it when it drew the cohort: so that a chain that went back
    /// and opened the round anew, after a patient withdrew, does not take the call again. Looked at for 256 blocks: no chain goes back further.
    /// Zero: for any opening
    function contribute(RunId run, RoundNo round, bytes32 root, bytes32 cid, bytes32 cohortRoot, bytes32 opening) external;

    /// @notice Ends the waiting for the caller's site, in this round and, until it contributes or is `ready`, in the next ones.
    /// @dev Requirements, in this order: run active; current round; Keying or Contributing; approved; member; neither contributed nor
    /// abstained. A site that keyed may abstain, also in Keying: it stays keyed, for its shares are out. Emits {Abstained}, and
    /// {PhaseBegan} when it was the last awaited.
    /// @param reason place in ABSTAIN_REASONS of node/ports/chain.ts
    function abstain(RunId run, RoundNo round, uint8 reason) external;

    /// @notice Begins the limit of Contributing anew, once a round: the caller is at work and would be late.
    /// @dev Requirements, in this order: run active; current round; Contributing (after the limit it is over); approved; member;
    /// neither contributed nor abstained; awaited (NotAwaited); not yet extended (AlreadyExtended). The phase still ends as soon
    /// as all awaited sites are here, so it costs nothing when the caller contributes soon after. Emits {ContributingExtended}.
    function extend(RunId run, RoundNo round) external;

    /// @notice Says which updates' slice the caller, a custodian, holds.
    /// @dev Requirements, in this order: run active; current round; Witnessing; approved; known slice; member and custodian of
    /// the slice (NotCustodian); not yet witnessed; `held` names contributors only. Emits {Witnessed}; when it settles the last
    /// slice {Frozen}, {PhaseBegan}, or {RoundVoid} and what follows.
    function witness(RunId run, RoundNo round, uint8 slice, uint256 held) external;

    /// @notice Publishes the sum over the frozen set.
    /// @dev Requirements, in this order: run active; current round; Publishing; `attempt` is the current; approved; member
    /// whose place may publish now (NotItsTurn); no zero digest. Emits {Published}, {PhaseBegan}.
    function publish(RunId run, RoundNo round, uint8 attempt, bytes32 sumRoot, bytes32 sumCid) external;

    /// @notice Says what the caller makes of a publication.
    /// @dev Requirements, in this order: the round is one of the run's last 8 (NotCurrentRound); the publication was made
    /// (WrongAttempt; `current` is then the number of publications); approved; in the frozen set (NotIncluded); a tuple as its
    /// status wants; not yet attested (looked at for the round's last publication only). Works in any state of the run.
    /// Emits {Attested}; when the publication is being attested and this decides it, {RoundClosed}, {RoundRefused} or
    /// {PublicationDiscarded} and what follows.
    /// @param own echo-proof digest: only a holder of the model's bytes can make it
    function attest(RunId run, RoundNo round, uint8 attempt, bytes32 modelRoot, bytes32 modelCid, Status status, bytes32 own) external;

    /// @notice Strikes a publication that is wrong at a leaf.
    /// @dev Requirements, in this order: masked study (NotMasked); member now (NotMember); a publication that stands (of the current
    /// round of an active run: WrongPhase; else NotDisputable); a leaf (LeafOutside); the round's contributions
    /// (WrongContributions); as many updates as included sites (WrongUpdates), each under its root (WrongPath); the sum's evidence under
    /// the published root (WrongPath with NO_SITE); something else there than the sum of the leaves (TrueLeaf). Without gas to
    /// finish it fails and changes nothing. Emits {Disputed}, {PublicationDiscarded} and what follows.
    function dispute(RunId run, RoundNo round, Evidence calldata evidence) external;

    /// @notice The same in parts, where the updates of all included sites do not fit one transaction (above 64 sites).
    /// @dev Each call takes the leaves of the next included sites in order of arrival and keeps one word for the caller's site: the
    /// digest of the partial sum, which comes back with the next call. The last call brings `evidence.sum` too and judges. Requirements as of
    /// `dispute`, and, after the contributions, the caller's own partial sum (OtherPartialSum). A partial sum stays good for every publication of
    /// the round; beginning again (`done` 0) forgets it.
    /// @param done how many sites' leaves are in `partialSum`
    /// @param partialSum the sum of these leaves, 1 KiB; empty in the first call
    function disputePart(RunId run, RoundNo round, Evidence calldata evidence, uint256 done, bytes calldata partialSum) external;

    /// @notice Makes the step of a limit that has passed, or ends a pause that may end; else nothing. Anyone may call.
    function tick(RunId run) external;

    /// @notice Says that the caller's site is there: it is awaited from the next round on, and counts for the end of a pause.
    /// @dev Requirements, in this order: run active or paused; member now (NotMember); not yet ready. Emits {SiteReady}.
    function ready(RunId run) external;

    /// @notice Ends a run of an exact study because the caller's cohort changed.
    /// @dev Requirements, in this order: run active or paused; exact; member now (NotMember). Emits {RunStateChanged}.
    function halt(RunId run, uint8 reason) external;

    /// @notice Runs so far; they count from 1.
    function runCount() external view returns (uint256 count);

    /// @notice Study of a run.
    function studyOf(RunId run) external view returns (StudyId study);

    /// @notice At most `count` runs from `first` on, oldest first.
    function runs(uint256 first, uint256 count) external view returns (RunSummary[] memory);

    /// @notice A run and its current round (the last opened, but after a dispute the one that is published again), as stored: a limit that has passed shows only after a call.
    function run(RunId id) external view returns (RunView memory);

    /// @notice The same with any of the run's last 8 rounds.
    /// @dev Reverts with NotCurrentRound when the round is not in the ring.
    function runAt(RunId id, RoundNo round) external view returns (RunView memory);
}
