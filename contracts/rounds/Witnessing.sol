// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bitmap} from "../libraries/Bitmap.sol";
import {Clock, PhaseClock} from "../libraries/PhaseClock.sol";
import {Planes} from "../libraries/Planes.sol";
import {Rota} from "../libraries/Rota.sol";
import {RoundNo, RunId, SiteId} from "../types/Ids.sol";
import {Phase} from "../types/Phase.sol";
import {Opening} from "./Opening.sol";

/// @title Phase Witnessing, and the freeze
/// @notice Bitmaps of a deep round are counted in planes as they come, so that it too is frozen as soon as every update stands.
abstract contract Witnessing is Opening {
    using Bitmap for uint256;
    using PhaseClock for Clock;
    using Planes for mapping(uint256 plane => uint256);

    /// @dev What a bitmap is counted with: the rota's size, the slice's places, the custodian's bit, slices of the run, all
    /// contributors, what the custodian holds, and whether the slice has bitmaps of this round.
    struct Tally {
        uint256 n;
        uint256 places;
        uint256 bit;
        uint256 slices;
        uint256 contributed;
        uint256 held;
        bool begun;
    }

    function _witness(RunId id, Run storage run, RoundNo number, SiteId site, uint8 slice, uint256 held) internal {
        // Check: a custodian's first bitmap, of contributors
        (Round storage r, Clock memory c) = _current(id, run, number, Phase.Witnessing);
        uint256 approvals = _approved(run, site);
        Tally memory t = _custodian(id, run, r, c, site, slice);
        Bitmaps storage stored = r.slices[slice];
        Bitmaps memory b = _bitmaps(stored, t.begun);
        if (b.witnessed & t.bit != 0) revert RoundCoordinator_AlreadyWitnessed(id, number, site, slice);
        if (held & ~t.contributed != 0) revert RoundCoordinator_NotContributed(id, number, held & ~t.contributed);
        // Effect: the bitmap, and perhaps the freeze
        t.held = held;
        _record(r, c, slice, t, stored, b);
        emit Witnessed(id, number, site, slice, held);
        if (c.settled == t.slices) _freeze(id, run, r, c, approvals);
        else r.clock = c.pack();
    }

    function _custodian(RunId id, Run storage run, Round storage r, Clock memory c, SiteId site, uint8 slice) private view returns (Tally memory t) {
        t.slices = run.slices;
        if (slice >= t.slices) revert RoundCoordinator_UnknownSlice(slice, run.slices);
        uint256 rota = r.rota;
        t.n = rota.size();
        t.places = _places(r, c, t.n, slice);
        bool custodian = Rota.isCustodian(t.n, Rota.placeOf(rota, t.n, c.turn, site), slice, t.places);
        if (!custodian) revert RoundCoordinator_NotCustodian(id, run.round, site, slice);
        (t.bit, t.contributed, t.begun) = (Bitmap.only(site), r.contributed, _hasBegun(r, c, t.slices, slice));
    }

    /// @dev The limit has passed: freeze, ask more custodians, or give up.
    function _endWitnessing(RunId id, Run storage run, Round storage r, Clock memory c) internal {
        uint256 approvals = STUDIES.approvals(run.study);
        if (c.heard == run.slices) _freeze(id, run, r, c, approvals);
        else _askMore(id, run, r, c, approvals);
    }

    /// @dev Custodians of a slice now, as a count of places.
    function _places(Round storage r, Clock memory c, uint256 n, uint256 slice) internal view returns (uint256) {
        if (c.has(PhaseClock.DEEP)) return n;
        return Rota.custodians(n, c.extensions == 0 ? 0 : r.extended[slice]);
    }

    /// @dev Whether the slice's bitmaps are of this round. With one slice the clock's flag says it.
    function _hasBegun(Round storage r, Clock memory c, uint256 slices, uint256 slice) internal view returns (bool) {
        if (!c.has(PhaseClock.WITNESSED)) return false;
        return slices == 1 || r.begun >> slice & 1 == 1;
    }

    /// @dev A slice's bitmaps; the first leaves `twice` as it was, so it counts from the second on.
    function _bitmaps(Bitmaps storage stored, bool begun) private view returns (Bitmaps memory b) {
        if (!begun) return b;
        (b.witnessed, b.once) = (stored.witnessed, stored.once);
        if (b.witnessed & (b.witnessed - 1) != 0) b.twice = stored.twice;
    }

    function _record(Round storage r, Clock memory c, uint8 slice, Tally memory t, Bitmaps storage stored, Bitmaps memory b) private {
        uint256 before = t.begun ? b.witnessed.size() : 0;
        uint256 count = before + 1;
        bool deep = c.has(PhaseClock.DEEP);
        uint256 quorum = Rota.witnessQuorum(t.n, deep);
        bool was = t.begun && _settled(b, before, t);
        if (deep) b.once = b.twice = r.planes[slice].add(before, t.held, quorum);
        else (b.twice, b.once) = (b.twice | (b.once & t.held), b.once | t.held);
        b.witnessed |= t.bit;
        (stored.witnessed, stored.once) = (b.witnessed, b.once);
        if (t.begun) stored.twice = b.twice;
        else if (t.slices > 1) r.begun = (c.has(PhaseClock.WITNESSED) ? r.begun : 0) | (1 << slice);
        c.flags |= PhaseClock.WITNESSED;
        if (count == quorum) ++c.heard;
        if (!was && _settled(b, count, t)) ++c.settled;
    }

    function _settled(Bitmaps memory b, uint256 count, Tally memory t) private pure returns (bool) {
        return count == t.places || t.contributed & ~_standing(b, t.n) == 0;
    }

    /// @dev Updates that enough bitmaps name.
    function _standing(Bitmaps memory b, uint256 n) private pure returns (uint256) {
        return n == 1 ? b.once : b.twice;
    }

    /// @dev Every slice is heard, so each one's bitmaps are of this round. The loop is over slices.
    function _freeze(RunId id, Run storage run, Round storage r, Clock memory c, uint256 approvals) private {
        uint256 n = r.rota.size();
        uint256 included = r.contributed & approvals;
        for (uint256 s = 0; s < run.slices; ++s) {
            included &= _standing(_bitmaps(r.slices[s], true), n);
        }
        if (included.size() < _enough(run, c)) {
            _askMore(id, run, r, c, approvals);
            return;
        }
        r.included = included;
        c.flags |= PhaseClock.FROZEN;
        emit Frozen(id, run.round, included, r.accumulator);
        _begin(id, run.round, r, c, Phase.Publishing);
    }

    /// @dev Three more places for each slice that lacks an update, unless the whole rota was asked or a quorum is out of reach:
    /// custodians that are cut off together, or lie together, must not void what others could bear out. In a deep round all were
    /// asked, and get the same time.
    function _askMore(RunId id, Run storage run, Round storage r, Clock memory c, uint256 approvals) private {
        uint256 contributed = r.contributed;
        uint256 n = r.rota.size();
        bool deep = c.has(PhaseClock.DEEP);
        bool futile = (contributed & approvals).size() < _enough(run, c) || Rota.custodians(n, c.extensions) == n || (deep && c.settled == run.slices);
        if (futile) {
            r.clock = c.pack();
            _void(id, run, Phase.Witnessing);
            return;
        }
        if (deep) ++c.extensions;
        else _extend(r, c, run.slices, contributed, n);
        _begin(id, run.round, r, c, Phase.Witnessing);
    }

    /// @dev A slice in which every update stands waits for nobody, and keeps its places: the first time that is said with a
    /// zero, since older counts are stale.
    function _extend(Round storage r, Clock memory c, uint256 slices, uint256 contributed, uint256 n) private {
        bool first = c.extensions == 0;
        (c.extensions, c.settled) = (c.extensions + 1, 0);
        for (uint256 s = 0; s < slices; ++s) {
            uint256 stands = _standing(_bitmaps(r.slices[s], _hasBegun(r, c, slices, s)), n);
            if (contributed & ~stands != 0) {
                r.extended[s] = c.extensions;
                continue;
            }
            ++c.settled;
            if (first) r.extended[s] = 0;
        }
    }
}
