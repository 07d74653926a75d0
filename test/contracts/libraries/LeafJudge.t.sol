// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRoundEvents} from "../../../contracts/interfaces/IRoundEvents.sol";
import {LeafJudge} from "../../../contracts/LeafJudge.sol";
import {LeafSum} from "../../../contracts/libraries/LeafSum.sol";
import {Evidence, Facts} from "../../../contracts/types/Disputes.sol";
import {RoundNo, RunId} from "../../../contracts/types/Ids.sol";
import {Tree} from "../support/Tree.sol";
import {hold} from "../support/Vm.sol";

/// @notice A true sum is never struck, a false one always can be.
contract LeafJudgeTest is Tree {
    LeafJudge private immutable JUDGE = new LeafJudge();

    /// @dev Sites 3, 6, 9, … contributed, all but the second are included.
    struct Case {
        bytes[][] updates;
        bytes[] sum;
        Facts facts;
        bytes contributions;
        uint256 leaves;
    }

    function testFuzz_ATrueSumIsNeverStruck(uint256 seed, uint8 sites, uint8 size, uint8 leaf, uint8 claimed, bool wide) external view {
        Case memory c = _case(seed, sites, size, wide);
        uint256 honest = leaf % c.leaves;
        // Whatever the evidence says of the leaf and of the tree: the paths are those of some leaf.
        Evidence memory e = _evidence(c, honest, c.leaves);
        e.leaves = seed % 2 == 0 ? uint32(c.leaves) : uint32(claimed) % 64 + 1;
        e.leaf = seed % 3 == 0 ? uint32(honest) : uint32(uint256(keccak256(abi.encode(seed))) % e.leaves);
        try JUDGE.weigh(c.facts, e, 0, "") returns (bytes32 kept) {
            hold(kept != 0, "a true sum was struck");
        } catch (bytes memory reason) {
            bytes4 told = bytes4(reason);
            bool expected = told == IRoundEvents.RoundCoordinator_TrueLeaf.selector || told == IRoundEvents.RoundCoordinator_WrongPath.selector
                || told == IRoundEvents.RoundCoordinator_WrongUpdates.selector || told == IRoundEvents.RoundCoordinator_LeafOutside.selector;
            hold(expected, "refused for another reason");
            if (e.leaf == honest && e.leaves == c.leaves) hold(told == IRoundEvents.RoundCoordinator_TrueLeaf.selector, "told that it is true");
        }
    }

    function testFuzz_AWrongBitIsStruck(uint256 seed, uint8 sites, uint8 size, uint16 word, uint8 bit, bool wide) external view {
        Case memory c = _case(seed, sites, size, wide);
        uint256 wordBytes = c.facts.wordBits / 8;
        uint256 place = (uint256(word) % (c.leaves * 1024 / wordBytes)) * wordBytes + (uint256(bit) / 8) % wordBytes;
        bytes memory leaf = c.sum[place / 1024];
        leaf[place % 1024] ^= bytes1(uint8(1 << (bit % 8)));
        c.facts.sumRoot = rootOf(c.sum);
        hold(JUDGE.weigh(c.facts, _evidence(c, place / 1024, c.leaves), 0, "") == 0, "a wrong bit stands");
        _holdTrueElsewhere(c, place / 1024, seed);
    }

    function testFuzz_AShorterSumIsStruckByALeafAbove(uint256 seed, uint8 sites, uint8 size) external view {
        Case memory c = _case(seed, sites, size % 8 + 1, true);
        // One leaf where the true tree has two or more.
        bytes[] memory short = new bytes[](1);
        short[0] = c.sum[0];
        c.facts.sumRoot = rootOf(short);
        Evidence memory e = _evidence(c, 0, c.leaves);
        e.sum = short[0];
        hold(JUDGE.weigh(c.facts, e, 0, "") == 0, "a short sum stands");
    }

    /// @dev Leaves that are right cannot be disputed, though another one is wrong.
    function _holdTrueElsewhere(Case memory c, uint256 wrong, uint256 seed) private view {
        uint256 other = seed % c.leaves;
        if (other == wrong) return;
        try JUDGE.weigh(c.facts, _evidence(c, other, c.leaves), 0, "") {
            hold(false, "a right leaf was struck");
        } catch (bytes memory reason) {
            hold(bytes4(reason) == IRoundEvents.RoundCoordinator_TrueLeaf.selector, "told that it is true");
        }
    }

    function _case(uint256 seed, uint8 sites, uint8 size, bool wide) private pure returns (Case memory c) {
        uint256 n = uint256(sites) % 5 + 1;
        c.leaves = uint256(size) % 9 + 1;
        c.updates = new bytes[][](n);
        c.facts = Facts(RunId.wrap(1), RoundNo.wrap(1), wide ? 64 : 32, 0, 0, 0, 0);
        for (uint256 i = 0; i < n; ++i) {
            c.updates[i] = vectorOf(uint256(keccak256(abi.encode(seed, i))), c.leaves);
            (uint256 site, bytes32 root) = (3 * i + 3, rootOf(c.updates[i]));
            c.facts.accumulator = keccak256(abi.encode(c.facts.accumulator, site, root));
            c.contributions = abi.encodePacked(c.contributions, uint8(site), root);
            if (i != 1) c.facts.included |= 1 << site;
        }
        c.sum = new bytes[](c.leaves);
        for (uint256 l = 0; l < c.leaves; ++l) {
            c.sum[l] = plainSum(_leavesAt(c, l), c.facts.wordBits);
        }
        c.facts.sumRoot = rootOf(c.sum);
    }

    function _leavesAt(Case memory c, uint256 l) private pure returns (bytes[] memory leaves) {
        uint256 n = c.updates.length;
        leaves = new bytes[](n > 1 ? n - 1 : n);
        uint256 count = 0;
        for (uint256 i = 0; i < n; ++i) {
            if (i != 1) leaves[count++] = c.updates[i][l];
        }
    }

    function _evidence(Case memory c, uint256 leaf, uint256 leaves) private pure returns (Evidence memory e) {
        (e.leaf, e.leaves, e.contributions) = (uint32(leaf), uint32(leaves), c.contributions);
        for (uint256 i = 0; i < c.updates.length; ++i) {
            if (i != 1) e.updates = abi.encodePacked(e.updates, c.updates[i][leaf], pathOf(c.updates[i], leaf));
        }
        e.sum = abi.encodePacked(sha256(abi.encodePacked(uint8(0), c.sum[leaf])), pathOf(c.sum, leaf));
    }
}
