// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RoundNo, RunId, SiteId, StudyId} from "./Ids.sol";
import {Phase} from "./Phase.sol";
import {RunState} from "./RunState.sol";

/// @notice A round as the coordinator holds it; rules in IRoundCoordinator.
/// @param attempt of the publication awaited or being attested, from 0
/// @param rota snapshot of the members; the rota's order is ascending by site id
/// @param turn index of the leader in that order
/// @param leader rota[turn]
/// @param openedAtBlock withdrawals up to this block must be absent from cohorts
/// @param epoch epoch of keys at opening
/// @param sinceBlock when the phase, or its current attempt or extension, began; of a masked study's closed round: when it closed
/// @param sinceTimestamp the same in seconds
/// @param awaited sites that Contributing waits for; abstaining ones are left out
/// @param custodianPlaces per slice, how many places from turn + slice on are custodians now
/// @param witnessed per slice, custodians that witnessed
/// @param included 0 before the freeze, never changed after it
/// @param firstPlace first place, counted from the turn, that may publish in this attempt
/// @param publications how many were made in this round
/// @param publisher of the publication being attested, or NO_SITE; then its roots are zero
/// @param attested sites that attested the publication
/// @param accumulator over (site, root) of updates in order of arrival
/// @param extended somebody asked for more time in Contributing
/// @param keyed of a masked study: sites whose key shares are out; they alone contribute
/// @param justifying of a masked study: who keyed stands, some do not hold what others dealt, and dealers show shares of these
/// @param justified sites that did, or had nothing to show
/// @param threshold of a masked study: so many of its set it takes to unmask its sum; 0 in open ones
struct RoundView {
    RoundNo round;
    Phase phase;
    uint8 attempt;
    uint256 rota;
    uint16 turn;
    SiteId leader;
    uint40 openedAtBlock;
    uint32 epoch;
    uint40 sinceBlock;
    uint40 sinceTimestamp;
    uint256 awaited;
    uint256 contributed;
    uint256 abstained;
    uint16[] custodianPlaces;
    uint256[] witnessed;
    uint256 included;
    uint16 firstPlace;
    uint8 publications;
    SiteId publisher;
    bytes32 sumRoot;
    bytes32 sumCid;
    uint256 attested;
    bytes32 accumulator;
    bool extended;
    uint256 keyed;
    bool justifying;
    uint256 justified;
    uint8 threshold;
}

/// @notice A run with its current round: the last opened, or the one that a dispute brought back.
/// @param modelRoot model of the last closed (or refused) round, or the initial one
/// @param ready sites that signalled since the last opening or pause
struct RunView {
    RunId run;
    StudyId study;
    RunState state;
    bytes32 modelRoot;
    bytes32 modelCid;
    uint32 closedRounds;
    uint8 voidsInARow;
    uint256 ready;
    RoundView round;
}

/// @notice A line of the list of runs.
struct RunSummary {
    RunId run;
    StudyId study;
    RunState state;
}
