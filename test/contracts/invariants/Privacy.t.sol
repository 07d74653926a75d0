// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPrivacyLedger} from "../../../contracts/interfaces/IPrivacyLedger.sol";
import {Lanes} from "../../../contracts/libraries/Lanes.sol";
import {RoundNo, RunId, SiteId, StudyId} from "../../../contracts/types/Ids.sol";
import {Mode} from "../../../contracts/types/Studies.sol";
import {TestNetwork} from "../support/TestNetwork.sol";
import {hold, VM} from "../support/Vm.sol";

/// @notice Sites of three studies charge what they like; the ledger is held against plain sums, lane by lane.
contract PrivacyTest is TestNetwork {
    uint256 private constant STEPS = 40;
    uint256[3] private _limits;
    uint256[3] private _charges;
    RunId[3] private _runs;
    IPrivacyLedger private _privacy;
    mapping(uint256 site => mapping(uint256 dataset => uint256[8])) private _plain;
    mapping(uint256 study => mapping(uint256 site => uint32)) private _round;

    function setUp() external {
        build(3);
        _privacy = rounds.privacy();
        for (uint256 i = 0; i < 3; ++i) {
            // Lanes that grow at different speeds, one of which the second study may fill without being refused.
            _charges[i] = i == 1 ? Lanes.ONES * 7 + (uint256(2 ** 31 - 9) << 96) : Lanes.ONES * (3 + i) + (5 << 64);
            _limits[i] = Lanes.ONES * (20 + 40 * i);
            StudyId made = study(3, 2, 1, Mode.Open);
            VM.prank(node(0));
            _runs[i] = rounds.openRun(made, PROTOCOL, PROTOCOL);
        }
    }

    /// @dev The policy, before anybody approves.
    function published(StudyId id) internal override {
        uint256 i = StudyId.unwrap(id) - 1;
        VM.prank(node(0));
        _privacy.setPolicy(id, _charges[i], _limits[i]);
    }

    function testFuzz_NoDatasetSpendsMoreThanTheLimit(uint256 seed) external {
        uint256 accepted = 0;
        for (uint256 n = 0; n < STEPS; ++n) {
            seed = uint256(keccak256(abi.encode(seed)));
            if ((seed >> 32) % 4 == 0) _prepare((seed >> 8) % 3, (seed >> 16) % 2);
            if (_step(seed % 3, (seed >> 8) % 3, (seed >> 16) % 2, uint32((seed >> 24) % 3))) ++accepted;
        }
        hold(accepted >= 3 && accepted < STEPS, "some are charged, and some refused");
    }

    function _prepare(uint256 site, uint256 dataset) private {
        uint256 before = _spent(site, dataset);
        VM.prank(node(site));
        _privacy.prepare(bytes32(dataset + 1));
        hold(_spent(site, dataset) == before, "what is prepared is not spent");
    }

    function _step(uint256 study_, uint256 site, uint256 dataset, uint32 ahead) private returns (bool done) {
        uint32 number = _round[study_][site] + ahead;
        uint256 before = _spent(site, dataset);
        bool within = addedWithin(before, _charges[study_], _limits[study_]);
        VM.prank(node(site));
        try _privacy.charge(_runs[study_], RoundNo.wrap(number), bytes32(dataset + 1)) {
            done = true;
        } catch {}
        hold(done == (within && ahead > 0), "charged as long as one lane is within the limit, once a round");
        if (!done) {
            hold(_spent(site, dataset) == before, "what is refused is not charged");
            return false;
        }
        _round[study_][site] = number;
        _hold(study_, site, dataset);
        for (uint256 i = 0; i < 9; ++i) {
            hold(RoundNo.unwrap(_privacy.lastCharged(_runs[i / 3], SiteId.wrap(uint16(i % 3)))) == _round[i / 3][i % 3], "each site of each run by itself");
        }
    }

    /// @dev Sums are plain sums; a lane that is full stays full and touches no other.
    function _hold(uint256 study_, uint256 site, uint256 dataset) private {
        uint256 spent = _spent(site, dataset);
        bool any = false;
        for (uint256 i = 0; i < 8; ++i) {
            _plain[site][dataset][i] += (_charges[study_] >> (32 * i)) & 0xffffffff;
            uint256 plain = _plain[site][dataset][i];
            hold((spent >> (32 * i)) & 0xffffffff == (plain > 2 ** 31 - 1 ? 2 ** 31 - 1 : plain), "additive");
            any = any || plain <= (_limits[study_] >> (32 * i)) & 0xffffffff;
        }
        hold(any, "never above the limit");
    }

    function _spent(uint256 site, uint256 dataset) private view returns (uint256) {
        return _privacy.spentOf(SiteId.wrap(uint16(site)), bytes32(dataset + 1));
    }
}

/// @dev Plainly, lane by lane.
function addedWithin(uint256 spent, uint256 charge, uint256 limit) pure returns (bool) {
    for (uint256 i = 0; i < 8; ++i) {
        uint256 sum = ((spent >> (32 * i)) & 0xffffffff) + ((charge >> (32 * i)) & 0xffffffff);
        if (sum <= (limit >> (32 * i)) & 0xffffffff) return true;
    }
    return false;
}
