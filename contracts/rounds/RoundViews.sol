// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRoundCoordinator} from "../interfaces/IRoundCoordinator.sol";
import {Bitmap} from "../libraries/Bitmap.sol";
import {Clock, PhaseClock} from "../libraries/PhaseClock.sol";
import {NO_SITE, RoundNo, RunId, SiteId, StudyId} from "../types/Ids.sol";
import {Phase} from "../types/Phase.sol";
import {RoundView, RunSummary, RunView} from "../types/Rounds.sol";
import {Attesting} from "./Attesting.sol";
import {Witnessing} from "./Witnessing.sol";

/// @title Runs and rounds as others read them
abstract contract RoundViews is Witnessing, Attesting, IRoundCoordinator {
    using Bitmap for uint256;
    using PhaseClock for Clock;

    /// @inheritdoc IRoundCoordinator
    function runCount() external view returns (uint256) {
        return _runCount;
    }

    /// @inheritdoc IRoundCoordinator
    function studyOf(RunId id) external view returns (StudyId) {
        return _known(id).study;
    }

    /// @inheritdoc IRoundCoordinator
    function runs(uint256 first, uint256 count) external view returns (RunSummary[] memory list) {
        uint256 from = first == 0 ? 1 : first;
        uint256 left = from > _runCount ? 0 : _runCount - from + 1;
        list = new RunSummary[](count < left ? count : left);
        for (uint256 i = 0; i < list.length; ++i) {
            RunId id = RunId.wrap(uint32(from + i));
            Run storage r = _known(id);
            list[i] = RunSummary(id, r.study, r.state);
        }
    }

    /// @inheritdoc IRoundCoordinator
    function run(RunId id) external view returns (RunView memory) {
        return runAt(id, _known(id).round);
    }

    /// @inheritdoc IRoundCoordinator
    function runAt(RunId id, RoundNo number) public view returns (RunView memory v) {
        Run storage r = _known(id);
        if (!_inRing(r, number)) revert RoundCoordinator_NotCurrentRound(id, number, r.round);
        (v.run, v.study, v.state) = (id, r.study, r.state);
        (v.modelRoot, v.modelCid) = (r.modelRoot, r.modelCid);
        (v.closedRounds, v.voidsInARow, v.ready) = (r.closedRounds, r.voidsInARow, _ready(r));
        Round storage slot = _slot(r, number);
        v.round.round = number;
        Clock memory c = PhaseClock.unpack(slot.clock);
        _fill(v.round, slot, c, r.slices);
        (v.round.justifying, v.round.justified) = (_isJustifying(c), _justified(slot, c));
        if (r.masked) v.round.threshold = _publications(c) == 0 ? uint8(c.tuples) : c.settled;
    }

    function _fill(RoundView memory v, Round storage r, Clock memory c, uint256 slices) private view {
        (v.phase, v.attempt, v.epoch) = (c.phase, c.attempt, c.epoch & ~PhaseClock.ACCOUNTED);
        (v.rota, v.turn, v.leader) = (r.rota, c.turn, SiteId.wrap(c.leader));
        (v.openedAtBlock, v.sinceBlock, v.sinceTimestamp) = (c.openedAt, c.sinceBlock, c.sinceTime);
        (v.awaited, v.contributed, v.abstained) = (r.awaited, _contributed(r, c), _abstained(r, c));
        v.accumulator = c.has(PhaseClock.CONTRIBUTED) ? r.accumulator : bytes32(0);
        (v.extended, v.keyed) = (c.has(PhaseClock.EXTENDED), _keyed(r, c));
        v.included = c.has(PhaseClock.FROZEN) ? r.included : 0;
        (v.firstPlace, v.publications) = (c.firstPlace, uint8(_publications(c)));
        _fillSlices(v, r, c, slices);
        _fillPublication(v, r, c);
    }

    function _fillSlices(RoundView memory v, Round storage r, Clock memory c, uint256 slices) private view {
        (v.custodianPlaces, v.witnessed) = (new uint16[](slices), new uint256[](slices));
        uint256 n = r.rota.size();
        for (uint256 s = 0; s < slices; ++s) {
            v.custodianPlaces[s] = uint16(_places(r, c, n, s));
            if (_hasBegun(r, c, slices, s)) v.witnessed[s] = r.slices[s].witnessed;
        }
    }

    function _fillPublication(RoundView memory v, Round storage r, Clock memory c) private view {
        bool published = c.phase == Phase.Attesting;
        v.publisher = published ? SiteId.wrap(c.publisher) : NO_SITE;
        if (!published) return;
        (v.sumRoot, v.sumCid) = (r.sumRoot, r.sumCid);
        v.attested = c.has(PhaseClock.ATTESTED) ? r.attested : 0;
    }
}
