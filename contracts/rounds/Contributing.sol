// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bitmap} from "../libraries/Bitmap.sol";
import {Clock, PhaseClock} from "../libraries/PhaseClock.sol";
import {RoundNo, RunId, SiteId} from "../types/Ids.sol";
import {Phase} from "../types/Phase.sol";
import {Keying} from "./Keying.sol";

/// @title Phase Contributing
abstract contract Contributing is Keying {
    using Bitmap for uint256;
    using PhaseClock for Clock;

    /// @dev What a site commits to; `opening` is zero when it does not say for which opening of the round.
    struct Commitment {
        bytes32 root;
        bytes32 cid;
        bytes32 cohortRoot;
        bytes32 opening;
    }

    function _contribute(RunId id, Run storage run, RoundNo number, SiteId site, Commitment memory it) internal {
        // Check: it may still act, and commits to something
        (Round storage r, Clock memory c) = _current(id, run, number, Phase.Contributing);
        uint256 approvals = _approved(run, site);
        _inRota(id, number, r, site);
        if (c.flags & PhaseClock.KEYED != 0 && !r.keyed.has(site)) revert RoundCoordinator_NotKeyed(id, number, site);
        bool owes = c.epoch & PhaseClock.ACCOUNTED != 0 && PRIVACY.lastCharged(id, site) != number;
        if (owes) revert RoundCoordinator_NotCharged(id, number, site);
        if (it.root == 0 || it.cid == 0 || it.cohortRoot == 0) revert RoundCoordinator_ZeroDigest();
        // Of a masked study the site's masks follow from all that was keyed and justified
        _checkHistory(id, number, c.has(PhaseClock.KEYED) ? c.sinceBlock : c.openedAt, it.opening);
        uint256 contributed = _checkFirst(id, number, r, c, site) | Bitmap.only(site);
        // Effect: the site is in, its root in the accumulator
        bytes32 accumulator = c.has(PhaseClock.CONTRIBUTED) ? r.accumulator : bytes32(0);
        r.contributed = contributed;
        r.accumulator = keccak256(abi.encode(accumulator, SiteId.unwrap(site), it.root));
        _flag(r, c, PhaseClock.CONTRIBUTED);
        emit Contributed(id, number, site, it.root, it.cid, it.cohortRoot);
        _endWhenAllHere(id, run, r, c, contributed, approvals);
    }

    function _abstain(RunId id, Run storage run, RoundNo number, SiteId site, uint8 reason) internal {
        // Check: it may still act
        bool keying = PhaseClock.phaseOf(_slot(run, number).clock) == Phase.Keying;
        (Round storage r, Clock memory c) = _current(id, run, number, keying ? Phase.Keying : Phase.Contributing);
        uint256 approvals = _approved(run, site);
        _inRota(id, number, r, site);
        uint256 contributed = _checkFirst(id, number, r, c, site);
        // Effect: nobody waits for it
        r.abstained = _abstained(r, c) | Bitmap.only(site);
        r.awaited &= ~Bitmap.only(site);
        _flag(r, c, PhaseClock.ABSTAINED);
        emit Abstained(id, number, site, reason);
        if (keying) _endWhenAllKeyed(id, run, r, c, approvals);
        else _endWhenAllHere(id, run, r, c, contributed, approvals);
    }

    function _extend(RunId id, Run storage run, RoundNo number, SiteId site) internal {
        // Check: it may still act, is waited for, and is the first to ask
        (Round storage r, Clock memory c) = _current(id, run, number, Phase.Contributing);
        _approved(run, site);
        _inRota(id, number, r, site);
        _checkFirst(id, number, r, c, site);
        if (!r.awaited.has(site)) revert RoundCoordinator_NotAwaited(id, number, site);
        if (c.has(PhaseClock.EXTENDED)) revert RoundCoordinator_AlreadyExtended(id, number);
        // Effect: the limit begins anew
        c.begin(Phase.Contributing);
        c.asker = uint8(SiteId.unwrap(site));
        _flag(r, c, PhaseClock.EXTENDED);
        emit ContributingExtended(id, number, site);
    }

    /// @dev The limit has passed.
    function _endContributing(RunId id, Run storage run, Round storage r, Clock memory c) internal {
        if (_contributed(r, c).size() < _enough(run, c)) _void(id, run, Phase.Contributing);
        else _begin(id, run.round, r, c, Phase.Witnessing);
    }

    function _endWhenAllHere(RunId id, Run storage run, Round storage r, Clock memory c, uint256 contributed, uint256 approvals) private {
        bool allHere = r.awaited & approvals & ~contributed == 0;
        if (allHere && contributed.size() >= _enough(run, c)) _begin(id, run.round, r, c, Phase.Witnessing);
    }

    function _checkFirst(RunId id, RoundNo number, Round storage r, Clock memory c, SiteId site) private view returns (uint256 contributed) {
        contributed = _contributed(r, c);
        if (contributed.has(site)) revert RoundCoordinator_AlreadyContributed(id, number, site);
        if (_abstained(r, c).has(site)) revert RoundCoordinator_AlreadyAbstained(id, number, site);
    }
}
