// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bitmap} from "../../../contracts/libraries/Bitmap.sol";
import {Rota} from "../../../contracts/libraries/Rota.sol";
import {SiteId} from "../../../contracts/types/Ids.sol";
import {hold} from "../support/Vm.sol";

contract RotaTest {
    using Bitmap for uint256;

    /// @dev Against a walk with one counter a site.
    function testFuzz_NextTurnIsTheWalk(uint256 rota, uint8 last, uint256 low, uint256 high) external pure {
        if (rota == 0) rota = 1;
        SiteId from = SiteId.wrap(last);
        (SiteId leader, Rota.Passes memory left) = Rota.nextTurn(rota, from, Rota.Passes(low, high));
        hold(rota.has(leader), "the leader is in the rota");
        if (rota & ~(low | high) == 0) {
            hold(leader == rota.next(from) && left.low == 0 && left.high == 0, "all is forgiven");
            return;
        }
        hold(passes(low, high, leader) == 0, "the leader was not passed over");
        for (SiteId site = rota.next(from); site != leader; site = rota.next(site)) {
            hold(passes(left.low, left.high, site) + 1 == passes(low, high, site), "stepped over once");
            (low, high) = clear(low, high, site);
            (left.low, left.high) = clear(left.low, left.high, site);
        }
        hold(left.low == low && left.high == high, "others keep theirs");
    }

    /// @dev As node/core/masking/threshold.ts has it, and why: two sets that large share an honest site when a third lies.
    function testFuzz_TwoSetsOfTheThresholdShareMoreThanAThird(uint8 seed) external pure {
        uint256 members = 1 + uint256(seed);
        uint256 threshold = Rota.unmaskThreshold(members);
        hold(3 * threshold > 2 * members && 3 * (threshold - 1) <= 2 * members, "the least number above two thirds");
        hold(3 * (2 * threshold - members) > members, "more than a third is in both");
    }

    function testFuzz_PassedOverForItsNextThree(uint256 rota, uint8 seed, uint8 last) external pure {
        rota |= 3 << (seed % 255);
        SiteId missed = rota.pick(seed % rota.size());
        Rota.Passes memory p = Rota.passOver(Rota.Passes(0, 0), missed);
        SiteId from = SiteId.wrap(last);
        uint256 turns = 0;
        for (uint256 i = 0; i < 4 * rota.size() + 4; ++i) {
            bool isNext = rota.next(from) == missed;
            (from, p) = Rota.nextTurn(rota, from, p);
            if (isNext) hold((from == missed) == (turns == 3), "not in its next three, but in its fourth");
            if (isNext && turns++ == 3) return;
        }
        hold(false, "its turn comes");
    }

    function testFuzz_EveryPlaceIsOneSite(uint256 rota, uint8 turn, uint8 seed) external pure {
        if (rota == 0) rota = 1;
        uint256 n = rota.size();
        uint256 start = turn % n;
        SiteId site = rota.pick(seed % n);
        uint256 place = Rota.placeOf(rota, n, start, site);
        hold(place < n && Rota.siteAt(rota, start, place) == site, "place and site are inverses");
        hold(Rota.placeOf(rota & ~Bitmap.only(site), n - 1, 0, site) == n - 1, "a stranger has place n");
    }

    function testFuzz_SliceHasItsCustodians(uint8 n, uint8 slice, uint8 extensions) external pure {
        uint256 size = uint256(n) + 1;
        uint256 places = Rota.custodians(size, extensions);
        uint256 found = 0;
        for (uint256 place = 0; place <= size; ++place) {
            if (Rota.isCustodian(size, place, slice, places)) ++found;
        }
        uint256 wanted = 3 * (1 + uint256(extensions));
        hold(found == (wanted < size ? wanted : size), "so many custodians");
        hold(Rota.isCustodian(size, slice % size, slice, places), "the slice's own place is the first");
    }

    function testFuzz_TwoMajoritiesMeet(uint16 a, uint16 b, uint16 size) external pure {
        if (uint256(a) + b <= size) hold(!(Rota.isMajority(a, size) && Rota.isMajority(b, size)), "one majority at most");
        hold(Rota.isMajority(size, size) == (size > 0), "all are a majority");
    }

    function testFuzz_FewSitesNeedFew(uint16 n) external pure {
        hold(Rota.witnessQuorum(n, false) == (n < 2 ? n : 2), "bitmaps");
        uint256 deep = Rota.witnessQuorum(n, true);
        hold(Rota.isMajority(deep, n) && !Rota.isMajority(deep - 1, n) || n == 0, "bitmaps of a deep round: the least majority");
        hold(n > 3 || n == 0 || deep == Rota.witnessQuorum(n, false), "where all are custodians anyway, a deep round is like any other");
        hold(Rota.publications(n) == (n < 5 ? n : 5), "publications");
    }

    function passes(uint256 low, uint256 high, SiteId site) private pure returns (uint256) {
        return (low.has(site) ? 1 : 0) + (high.has(site) ? 2 : 0);
    }

    function clear(uint256 low, uint256 high, SiteId site) private pure returns (uint256, uint256) {
        return (low & ~Bitmap.only(site), high & ~Bitmap.only(site));
    }
}
