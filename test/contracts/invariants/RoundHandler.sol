// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RoundCoordinator} from "../../../contracts/RoundCoordinator.sol";
import {StudyRegistry} from "../../../contracts/StudyRegistry.sol";
import {Bitmap} from "../../../contracts/libraries/Bitmap.sol";
import {Rota} from "../../../contracts/libraries/Rota.sol";
import {NO_SITE, RoundNo, RunId, SiteId, StudyId} from "../../../contracts/types/Ids.sol";
import {Phase} from "../../../contracts/types/Phase.sol";
import {RoundView, RunView} from "../../../contracts/types/Rounds.sol";
import {RunState} from "../../../contracts/types/RunState.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {MaskedVectors} from "./MaskedVectors.sol";
import {TestNetwork} from "../support/TestNetwork.sol";
import {hold, VM} from "../support/Vm.sol";

/// @notice Sites that call what they like, late and early and with any arguments; after each call the new state is held
/// against what was seen before. Calls that the contract refuses are no news.
contract RoundHandler is TestNetwork {
    using Bitmap for uint256;

    RunId public run;
    StudyId private _study;
    uint8 private _slices;
    RunView private _last;
    mapping(uint32 round => uint256) public frozen;
    mapping(uint32 round => mapping(uint8 attempt => SiteId)) private _publisher;
    mapping(uint32 round => mapping(uint8 attempt => bool)) private _published;
    /// @notice Something that never changes did; empty as long as all is well.
    string public broken;
    uint256 public struck;
    uint256 public takenBack;
    uint256 public extensions;
    bool private _masked;
    MaskedVectors private immutable VECTORS;
    /// @dev Contributions in order of arrival, models that rounds began from, sums that are wrong, and the highest round.
    mapping(uint32 round => bytes) private _arrived;
    mapping(uint32 round => bytes32) private _base;
    /// @dev Of masked rounds: who was awaited when Keying opened.
    mapping(uint32 round => uint256) private _dealers;
    mapping(bytes32 sumRoot => bool) private _wrong;
    uint32 private _highest = 1;
    uint32 private _lastClosed;
    mapping(uint32 round => mapping(uint256 site => bool)) private _asked;
    /// @dev Rounds that opened because one was void after its freeze, or because a deep one was void; and what custodians said.
    mapping(uint32 round => bool) private _deep;
    mapping(uint32 round => mapping(uint256 slice => uint256[])) private _said;
    uint256 public deepFrozen;
    /// @dev Of masked runs: of each model, the one set of updates of which a sum was published.
    mapping(bytes32 modelRoot => uint256) private _shown;
    uint256 public ended;
    /// @dev Of masked rounds: over the deals that each site keyed with and holds, by whoever keyed.
    mapping(uint32 round => bytes32[]) private _held;
    uint256 public justifications;
    uint256 public voidWhileJustified;
    bytes32 private constant DEAL_CID = keccak256("deal cid");
    bytes32 private constant OTHER_HISTORY = keccak256("a block that is none any more");

    constructor(RoundCoordinator network, MaskedVectors vectors, StudyId study_, uint256 n, uint8 slices, bool masked) {
        (rounds, studies, VECTORS) = (network, StudyRegistry(address(network.studies())), vectors);
        (count, _study, _slices, _masked) = (n, study_, slices, masked);
        VM.prank(node(0));
        run = rounds.openRun(_study, keccak256("model"), keccak256("cid"));
        _last = rounds.run(run);
        (_base[1], _dealers[1]) = (_last.modelRoot, _last.round.awaited);
    }

    function key(uint256 who, uint256 holds, uint256 others, bool late) external {
        _key(who, holds & ((1 << count) - 1), others, late);
    }

    /// @notice But some; and of these one may hold another deal than its dealer keyed with.
    function everybodyKeys(uint256 but, uint256 other) external {
        for (uint256 i = 0; i < count; ++i) {
            if ((but >> i) & 3 != 3) _key(i, _allBut(i), other % 16 == i ? other >> 4 : 0, false);
        }
    }

    function justify(uint256 who, bool late) external {
        _justify(who, late, _history(who));
    }

    function everybodyJustifies(uint256 but) external {
        for (uint256 i = 0; i < count; ++i) {
            if ((but >> i) & 3 != 3) _justify(i, false, 0);
        }
    }

    function contribute(uint256 who, bool late) external {
        _contribute(who, late, _history(who));
    }

    function everybodyContributes(uint256 but) external {
        if (_masked && _last.round.phase == Phase.Keying) _allKey();
        for (uint256 i = 0; i < count; ++i) {
            if ((but >> i) & 3 == 3) continue;
            _contribute(i, false, 0);
        }
    }

    function abstain(uint256 who, uint8 reason) external {
        _as(who);
        try rounds.abstain(run, _round(false), reason) {} catch {}
        _look();
    }

    function extend(uint256 who, bool late) external {
        bool awaited = _last.round.awaited.has(SiteId.wrap(uint16(who % count)));
        _as(who);
        try rounds.extend(run, _round(late)) {
            uint32 number = RoundNo.unwrap(_last.round.round);
            _expect(awaited && !_last.round.extended, "an awaited site asks for more time, once a round");
            _expect(number == 1 || !_asked[number - 1][who % count] || rounds.runAt(run, RoundNo.wrap(number - 1)).round.contributed.has(SiteId.wrap(uint16(who % count))), "not again at once by who did not come");
            _asked[number][who % count] = true;
            ++extensions;
        } catch {}
        _look();
    }

    function witness(uint256 who, uint8 slice, uint256 hidden) external {
        uint256 held = _last.round.contributed & ~(hidden & (hidden >> 64) & (hidden >> 128));
        _witness(who, slice % (_slices + 1), held);
    }

    function custodiansWitness() external {
        for (uint256 i = 0; i < count * _slices; ++i) {
            _witness(i, uint8(i / count), _last.round.contributed);
        }
    }

    function publish(uint256 who, bool wrongAttempt, bool lie) external {
        _publish(who, wrongAttempt ? uint8(who) : _last.round.attempt, lie);
    }

    function leaderPublishes(bool lie) external {
        _publish(SiteId.unwrap(_last.round.leader), _last.round.attempt, lie);
    }

    /// @notice Of the current round, or of the last closed one: with evidence that is good when the sum is wrong.
    function dispute(uint256 who, bool older) external {
        rounds.tick(run);
        _look();
        uint32 number = older && _lastClosed != 0 ? _lastClosed : RoundNo.unwrap(_last.round.round);
        if (_highest >= number + 8) return;
        RoundView memory r = rounds.runAt(run, RoundNo.wrap(number)).round;
        bool attested = number == RoundNo.unwrap(_last.round.round) && _last.state == RunState.Active && r.phase == Phase.Attesting;
        bool mustWork = _masked && attested && _wrong[r.sumRoot] && studies.membersNow(_study).has(SiteId.wrap(uint16(who % count)));
        bytes memory call = VECTORS.disputeCall(run, number, r.included, r.sumRoot, _arrived[number]);
        _as(who);
        (bool done,) = address(rounds).call(call);
        _expect(done ? _masked && _wrong[r.sumRoot] : !mustWork, "a wrong sum of masked vectors, and no other, is struck by any member");
        if (!done) return;
        ++struck;
        _afterStrike(number, attested);
        _look();
    }

    function attest(uint256 who, uint8 status, uint8 model, bool late) external {
        _attest(who, Status(status % 4), model % 2, late);
    }

    function everybodyAttests(uint8 status) external {
        for (uint256 i = 0; i < count; ++i) {
            _attest(i, Status(status % 4), 0, false);
        }
    }

    function wholeRound(uint8 status) external {
        if (_masked) _allKey();
        for (uint256 i = 0; i < count; ++i) {
            _contribute(i, false, 0);
        }
        for (uint256 i = 0; i < count * _slices; ++i) {
            _witness(i, uint8(i / count), _last.round.contributed);
        }
        _publish(SiteId.unwrap(_last.round.leader), _last.round.attempt, status % 3 == 0);
        for (uint256 i = 0; i < count; ++i) {
            _attest(i, Status(status % 5 == 4 ? 3 : 0), 0, false);
        }
    }

    function wait(uint8 thirds) external {
        VM.warp(block.timestamp + uint256(SECONDS) * (thirds % 8) / 3 + 1);
        VM.roll(block.number + uint256(BLOCKS) * (thirds % 8) / 3 + 1);
    }

    function tick() external {
        rounds.tick(run);
        _look();
    }

    function ready(uint256 who) external {
        _as(who);
        try rounds.ready(run) {} catch {}
        _look();
    }

    function everybodyIsReady() external {
        for (uint256 i = 0; i < count; ++i) {
            _as(i);
            try rounds.ready(run) {} catch {}
            _look();
        }
    }

    function membership(uint256 who, bool leaves) external {
        address account = steward(who % count);
        VM.prank(account);
        if (leaves && who % 3 == 0) try studies.withdrawSite(_study) {} catch {}
        else try studies.approve(_study, PROTOCOL) {} catch {}
        uint32 next = studies.study(_study).epoch.epoch + 1;
        _as(who / 7);
        try studies.publishEpoch(_study, next, PROTOCOL, PROTOCOL) {} catch {}
        _look();
    }

    function _allKey() private {
        for (uint256 i = 0; i < count; ++i) {
            _key(i, _allBut(i), 0, false);
        }
        for (uint256 i = 0; i < count && _last.round.justifying; ++i) {
            _justify(i, false, 0);
        }
    }

    /// @param others sites of which it says that it holds another deal
    function _key(uint256 who, uint256 holds, uint256 others, bool late) private {
        RoundNo number = _round(late);
        who %= count;
        (bytes memory heldDeals, bytes32 all) = _heldDeals(RoundNo.unwrap(number), who, holds, others);
        bytes32 deal = keccak256(abi.encode(number, who));
        _as(who);
        try rounds.key(run, number, deal, DEAL_CID, holds, heldDeals) {
            _expect(_masked && !holds.has(SiteId.wrap(uint16(who))), "open rounds have no keys, and nobody's own deal is held");
            _held[RoundNo.unwrap(number)].push(all);
        } catch {}
        _look();
    }

    /// @dev What a site says, and a digest over all that it holds with its own deal.
    function _heldDeals(uint32 number, uint256 who, uint256 holds, uint256 others) private view returns (bytes memory heldDeals, bytes32 all) {
        bytes20[] memory named = new bytes20[](count);
        for (uint256 i = 0; i < count; ++i) {
            if (i != who && (holds >> i) & 1 == 0) continue;
            bool other = i != who && (others >> i) & 1 == 1;
            named[i] = bytes20(sha256(abi.encodePacked(keccak256(abi.encode(number, other ? i + count : i)), DEAL_CID)));
            if (i != who) heldDeals = bytes.concat(heldDeals, named[i], i < who ? bytes.concat(keccak256(abi.encode(who, i))) : bytes(""));
        }
        all = keccak256(abi.encode(named));
    }

    function _allBut(uint256 who) private view returns (uint256) {
        return ((1 << count) - 1) & ~(1 << who);
    }

    /// @dev At times of a chain that went back.
    function _history(uint256 who) private pure returns (bytes32) {
        return (who >> 32) & 7 == 7 ? OTHER_HISTORY : bytes32(0);
    }

    function _justify(uint256 who, bool late, bytes32 began) private {
        RoundView memory before = _last.round;
        _as(who);
        try rounds.justify(run, _round(late), began, "shares") {
            _expect(began == 0, "nothing is shown for another history");
            _expect(before.keyed.has(SiteId.wrap(uint16(who % count))) && !before.justified.has(SiteId.wrap(uint16(who % count))), "who keyed justifies, once");
            ++justifications;
        } catch {}
        _look();
    }

    function _contribute(uint256 who, bool late, bytes32 opening) private {
        RoundNo number = _round(late);
        bytes32 root = VECTORS.updateRoot(RoundNo.unwrap(number), who % count);
        _as(who);
        try rounds.contribute(run, number, root, keccak256("cid"), keccak256("cohort"), opening) {
            _expect(opening == 0, "nothing is contributed for another history");
            _arrived[RoundNo.unwrap(number)] = abi.encodePacked(_arrived[RoundNo.unwrap(number)], uint8(who % count), root);
        } catch {}
        _look();
    }

    function _witness(uint256 who, uint8 slice, uint256 held) private {
        _as(who);
        try rounds.witness(run, _round(false), slice, held) {
            _said[RoundNo.unwrap(_last.round.round)][slice].push(held);
        } catch {}
        _look();
    }

    function _publish(uint256 who, uint8 attempt, bool lie) private {
        bytes32 root = VECTORS.sumRoot(RoundNo.unwrap(_last.round.round), _last.round.included, lie ? 1 << (who % 256) : 0);
        if (lie) _wrong[root] = true;
        _as(who);
        try rounds.publish(run, _round(false), attempt, root, keccak256("sum cid")) {} catch {}
        _look();
    }

    /// @dev What a strike may do that nothing else does: bring the last closed round back.
    function _afterStrike(uint32 number, bool attested) private {
        if (attested) return;
        ++takenBack;
        RunView memory v = rounds.run(run);
        uint32 now_ = RoundNo.unwrap(v.round.round);
        _expect(number == _lastClosed && v.closedRounds + 1 == _last.closedRounds && v.modelRoot == _base[number], "the last closed round is taken back");
        _expect(now_ == _highest + 1 || v.state != RunState.Active || (now_ == number && v.round.phase == Phase.Publishing), "its set is published again");
        _lastClosed = 0;
        if (now_ > _highest) (_base[now_], _highest, _deep[now_], _dealers[now_]) = (v.modelRoot, now_, true, v.round.awaited);
        _last = v;
    }

    function _attest(uint256 who, Status status, uint8 model, bool late) private {
        RoundNo number = _round(late && who % 2 == 0);
        // A model of its own for each round, or one that comes again.
        bytes32 root = status == Status.WrongSum ? bytes32(0) : keccak256(abi.encode(model, model == 0 ? RoundNo.unwrap(number) : 0));
        uint8 attempt = late && _last.round.attempt > 0 ? _last.round.attempt - 1 : _last.round.attempt;
        _as(who);
        try rounds.attest(run, number, attempt, root, root, status, keccak256("own")) {} catch {}
        _look();
    }

    function _as(uint256 who) private {
        VM.prank(node(who % count));
    }

    function _round(bool late) private view returns (RoundNo) {
        uint32 number = RoundNo.unwrap(_last.round.round);
        return RoundNo.wrap(late && number > 1 ? number - 1 : number);
    }

    /// @dev Holds the new state against the last one.
    function _look() private {
        RunView memory v = rounds.run(run);
        _expect(_final(_last.state) ? v.state == _last.state : true, "a final state is final");
        uint32 number = RoundNo.unwrap(v.round.round);
        uint32 before = RoundNo.unwrap(_last.round.round);
        _expect(number == before || number == _highest + 1, "rounds are opened one by one");
        if (v.closedRounds > _last.closedRounds) _lastClosed = before;
        if (number == before) _sameRound(_last.round, v.round, v.state == RunState.Paused);
        if (number > _highest) {
            if (_last.round.justifying) _voidWhileJustified(rounds.runAt(run, _last.round.round).round);
            (_highest, _base[number], _dealers[number]) = (number, v.modelRoot, v.round.awaited);
            _deep[number] = v.voidsInARow > _last.voidsInARow && (_last.round.phase > Phase.Witnessing || _deep[before]);
        }
        if (frozen[number] == 0 && v.round.included != 0) _borneOut(number, v.round);
        _shape(v);
        _oneSetAModel(v, number);
        _frozenSets(_highest);
        _last = v;
    }

    function _sameRound(RoundView memory a, RoundView memory b, bool paused) private {
        _expect(b.attempt == a.attempt || b.attempt == a.attempt + 1, "attempts come one by one");
        if (b.attempt == a.attempt) _expect(b.phase >= a.phase, "no phase goes backwards within an attempt");
        else _expect(a.phase == Phase.Attesting && b.phase == Phase.Publishing, "only a discarded publication brings another attempt");
        _expect(a.rota == b.rota && a.leader == b.leader && a.openedAtBlock == b.openedAtBlock && a.epoch == b.epoch, "a round keeps its rota");
        _expect(a.contributed & ~b.contributed == 0, "a contribution stays");
        _expect(a.phase == Phase.Keying ? a.keyed & ~b.keyed == 0 : a.keyed == b.keyed, "who keyed is fixed when Contributing begins");
        _sameDeals(a, b);
        _expect(b.firstPlace >= a.firstPlace || (_masked && paused && b.firstPlace == 0), "places pass on, and begin anew with a pause");
        _expect(b.extended || !a.extended, "an extension is not forgotten");
        bool began = a.sinceBlock != b.sinceBlock || a.sinceTimestamp != b.sinceTimestamp;
        if (b.phase == Phase.Contributing && a.phase == b.phase) _expect(!began || (b.extended && !a.extended), "the limit of Contributing begins anew once");
        _expect(a.phase <= Phase.Contributing || a.contributed == b.contributed, "nobody contributes later");
    }

    /// @dev Deals are justified before Contributing where those that keyed hold different ones, and nowhere else.
    function _sameDeals(RoundView memory a, RoundView memory b) private {
        _expect(a.justified & ~b.justified == 0 && (a.phase == Phase.Keying || a.justified == b.justified), "who justified stays so");
        if (a.justifying) {
            _expect(a.keyed == b.keyed && (b.justifying || b.phase > Phase.Keying), "who keyed is fixed while deals are justified");
            uint256 silent = b.keyed & ~b.justified & studies.approvals(_study);
            _expect(b.justifying || silent & (b.awaited | ~b.abstained) == 0, "who did not justify is waited for no more");
        } else if (a.phase == Phase.Keying && b.phase == Phase.Keying) {
            bool began = a.sinceBlock != b.sinceBlock || a.sinceTimestamp != b.sinceTimestamp;
            _expect(!began || b.justifying, "the limit of Keying begins anew for those alone who justify");
            if (b.justifying) _expect(_differ(b.round), "nobody justifies where all hold the same");
        } else if (a.phase == Phase.Keying) {
            // All at once only where nobody is waited for.
            bool justified = b.justified != 0 || b.keyed & studies.approvals(_study) & ~b.abstained == 0;
            _expect(justified || !_differ(b.round), "they justify where they hold different deals");
        }
    }

    /// @dev All who may still act have justified, or abstained, or count as such, and too few are left.
    function _voidWhileJustified(RoundView memory r) private {
        _expect(r.keyed & studies.approvals(_study) & ~(r.justified | r.abstained) == 0, "who did not justify counts as abstained");
        _expect((r.keyed & ~r.abstained).size() < r.threshold, "void with fewer than enough");
        ++voidWhileJustified;
    }

    function _differ(RoundNo number) private view returns (bool) {
        bytes32[] storage held = _held[RoundNo.unwrap(number)];
        for (uint256 i = 1; i < held.length; ++i) {
            if (held[i] != held[0]) return true;
        }
        return false;
    }

    function _shape(RunView memory v) private {
        RoundView memory r = v.round;
        uint32 number = RoundNo.unwrap(r.round);
        uint256 n = r.rota.size();
        _expect(r.turn < n && r.rota.pick(r.turn) == r.leader, "the leader has the turn");
        _expect(r.contributed & ~r.rota == 0 && r.awaited & ~r.rota == 0, "contributors are in the rota");
        _expect(r.contributed & r.abstained == 0, "who abstains is not in");
        _expect(_masked ? r.keyed & ~_dealers[number] == 0 && r.contributed & ~r.keyed == 0 : r.keyed == 0, "of masked rounds, and no others, contributors have keys");
        _expect(r.phase != Phase.Keying || (_masked && r.contributed == 0), "Keying is the first phase of masked rounds alone");
        _expect(r.justified & ~r.keyed == 0 && (!r.justifying || r.phase == Phase.Keying) && (r.justified == 0 || _differ(r.round)), "who justifies keyed, and they differ");
        _expect(!_masked || r.included == 0 || r.included.size() >= Rota.unmaskThreshold(_dealers[number].size()), "more than two thirds of the dealers are in");
        _expect(r.included & ~r.contributed == 0 && r.attested & ~r.included == 0, "included sites contributed, attesting ones are included");
        _expect(r.phase < Phase.Publishing ? r.included == 0 : r.included.size() >= 1, "frozen from Publishing on");
        _expect(r.publications <= (_masked ? 240 : Rota.publications(n)), "not too many publications");
        _expect(v.voidsInARow < 3 || v.state == (v.round.publications > 0 && _masked ? RunState.Ended : RunState.Paused), "the third void pauses, or ends");
        bool deep = _deep[number];
        for (uint256 s = 0; s < _slices; ++s) {
            _expect(deep ? r.custodianPlaces[s] == n : r.phase > Phase.Contributing || r.custodianPlaces[s] == (n < 3 ? n : 3), "custodians of a round, deep or not");
            _expect(r.witnessed[s].size() <= r.custodianPlaces[s] && r.custodianPlaces[s] <= n, "only custodians witness");
        }
        if (r.publisher == NO_SITE) return;
        if (!_published[number][r.attempt]) (_published[number][r.attempt], _publisher[number][r.attempt]) = (true, r.publisher);
        _expect(_publisher[number][r.attempt] == r.publisher, "one publisher an attempt");
    }

    /// @dev What sites unmask for two sets over updates of one model would show single updates.
    function _oneSetAModel(RunView memory v, uint32 number) private {
        if (v.state == RunState.Ended && _last.state != RunState.Ended) {
            ++ended;
            _expect(_masked && _shown[v.modelRoot] != 0, "a run is Ended only after a publication");
        }
        if (!_masked || v.round.publications == 0) return;
        uint256 shown = _shown[_base[number]];
        _expect(shown == 0 || shown == v.round.included, "of one model one set is published");
        _shown[_base[number]] = v.round.included;
    }

    /// @dev Nobody is in whom too few name in some slice, and of approved sites nobody else is left out.
    function _borneOut(uint32 number, RoundView memory r) private {
        uint256 n = r.rota.size();
        uint256 standing = r.contributed;
        for (uint256 s = 0; s < _slices; ++s) {
            for (uint256 site = 0; site < count; ++site) {
                uint256 named = 0;
                for (uint256 i = 0; i < _said[number][s].length; ++i) {
                    named += (_said[number][s][i] >> site) & 1;
                }
                if (_deep[number] ? 2 * named <= n : named < 2 && named < n) standing &= ~(1 << site);
            }
        }
        _expect(r.included == standing & studies.approvals(_study), "in is who enough custodians name in every slice");
        if (_deep[number]) ++deepFrozen;
    }

    /// @dev Frozen sets of all rounds in the ring.
    function _frozenSets(uint32 last) private {
        for (uint32 number = last > 7 ? last - 7 : 1; number <= last; ++number) {
            uint256 included = rounds.runAt(run, RoundNo.wrap(number)).round.included;
            _expect(frozen[number] == 0 || frozen[number] == included, "a frozen set never changes");
            frozen[number] = included;
        }
    }

    function _final(RunState state) private pure returns (bool) {
        return state > RunState.Paused;
    }

    function _expect(bool rule, string memory name) private {
        if (!rule && bytes(broken).length == 0) broken = name;
    }
}
