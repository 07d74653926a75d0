// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILeafJudge} from "./interfaces/ILeafJudge.sol";
import {IRoundEvents} from "./interfaces/IRoundEvents.sol";
import {Bitmap} from "./libraries/Bitmap.sol";
import {LeafSum} from "./libraries/LeafSum.sol";
import {Evidence, Facts} from "./types/Disputes.sol";
import {NO_SITE, SiteId} from "./types/Ids.sol";

/// @title LeafJudge
/// @notice Why its verdict is right in both directions is told in ILeafJudge.
contract LeafJudge is ILeafJudge {
    using Bitmap for uint256;

    /// @dev Bytes of one contribution: site, root.
    uint256 private constant CONTRIBUTION = 33;
    uint256 private constant HASH = 32;

    /// @dev A leaf's place, and bytes of a branch there.
    struct Place {
        uint256 sides;
        uint256 depth;
        uint256 stride;
    }

    /// @inheritdoc ILeafJudge
    function weigh(Facts memory f, Evidence calldata e, uint256 done, bytes calldata partialSum) public view returns (bytes32) {
        if (e.leaf >= e.leaves || e.leaves > LeafSum.MOST_LEAVES) revert IRoundEvents.RoundCoordinator_LeafOutside(e.leaf, e.leaves);
        _checkContributions(f, e.contributions);
        if (done > 0) _checkPartialSum(f, e, done, partialSum);
        Place memory p;
        (p.sides, p.depth) = LeafSum.place(e.leaf, e.leaves);
        p.stride = LeafSum.LEAF + HASH * p.depth;
        uint256 count = _checkCount(f, e, done, p.stride);
        _checkUpdates(f, e, done, p);
        uint256[32] memory sum = LeafSum.add(e.updates, p.stride, done > 0 ? partialSum : partialSum[:0], f.wordBits);
        if (e.sum.length == 0) return _keep(f, e, done + count, keccak256(abi.encodePacked(sum)));
        _checkSum(f, e, p, LeafSum.hashOf(sum));
        return 0;
    }

    /// @dev All contributions of the round, each once and in order of arrival: no other list has this accumulator.
    function _checkContributions(Facts memory f, bytes calldata list) private pure {
        bytes32 accumulator = 0;
        bool whole = list.length % CONTRIBUTION == 0;
        assembly ("memory-safe") {
            // keccak256(abi.encode(accumulator, site, root)), as the coordinator took each contribution.
            let link := mload(0x40)
            let from := list.offset
            for { let end := add(from, list.length) } lt(from, end) { from := add(from, CONTRIBUTION) } {
                mstore(link, accumulator)
                mstore(add(link, 32), byte(0, calldataload(from)))
                mstore(add(link, 64), calldataload(add(from, 1)))
                accumulator := keccak256(link, 96)
            }
        }
        if (!whole || accumulator != f.accumulator) revert IRoundEvents.RoundCoordinator_WrongContributions(f.run, f.round, f.accumulator);
    }

    /// @dev The partial sum is the one that the site left.
    function _checkPartialSum(Facts memory f, Evidence calldata e, uint256 done, bytes calldata partialSum) private pure {
        bool same = partialSum.length == LeafSum.LEAF && _keep(f, e, done, keccak256(partialSum)) == f.kept;
        if (!same) revert IRoundEvents.RoundCoordinator_OtherPartialSum(f.run, f.round, done);
    }

    /// @dev Whole branches: all that are missing when the sum is to be judged, else at least one.
    function _checkCount(Facts memory f, Evidence calldata e, uint256 done, uint256 stride) private pure returns (uint256 count) {
        count = e.updates.length / stride;
        uint256 missing = f.included.size() - done;
        bool fits = e.sum.length == 0 ? count > 0 && count <= missing : count == missing;
        if (!fits || e.updates.length % stride != 0) revert IRoundEvents.RoundCoordinator_WrongUpdates(f.run, f.round, e.updates.length, missing * stride);
    }

    /// @dev One branch for each included site after the first `done`, under the root that the site committed to.
    function _checkUpdates(Facts memory f, Evidence calldata e, uint256 done, Place memory p) private view {
        bytes calldata updates = e.updates;
        bytes calldata list = e.contributions;
        uint256 included = f.included;
        uint256 passed = 0;
        for (uint256 i = 0; updates.length > 0; i += CONTRIBUTION) {
            SiteId site = SiteId.wrap(uint8(list[i]));
            if (!included.has(site) || passed++ < done) continue;
            if (LeafSum.rootOfBranch(updates[:p.stride], p.sides) != _rootAt(list, i)) revert IRoundEvents.RoundCoordinator_WrongPath(site);
            updates = updates[p.stride:];
        }
    }

    /// @dev Root of the contribution that begins at a byte of the list.
    function _rootAt(bytes calldata list, uint256 i) private pure returns (bytes32 root) {
        assembly ("memory-safe") {
            root := calldataload(add(add(list.offset, i), 1))
        }
    }

    /// @dev Reverts unless something else than the true leaf lies in the published tree.
    function _checkSum(Facts memory f, Evidence calldata e, Place memory p, bytes32 trueLeaf) private view {
        bytes calldata sum = e.sum;
        if (sum.length == HASH * (1 + p.depth)) {
            bytes32 found = bytes32(sum[:HASH]);
            if (LeafSum.rootOf(found, sum[HASH:], p.sides) != f.sumRoot) revert IRoundEvents.RoundCoordinator_WrongPath(NO_SITE);
            if (found == trueLeaf) revert IRoundEvents.RoundCoordinator_TrueLeaf(f.run, f.round, e.leaf);
            return;
        }
        bool above = sum.length >= LeafSum.LEAF && sum.length < p.stride && sum.length % HASH == 0;
        if (!above || LeafSum.rootOfBranch(sum, p.sides >> ((p.stride - sum.length) / HASH)) != f.sumRoot) {
            revert IRoundEvents.RoundCoordinator_WrongPath(NO_SITE);
        }
    }

    /// @dev Partial sums are of updates alone, which never change: they outlive a publication.
    function _keep(Facts memory f, Evidence calldata e, uint256 done, bytes32 sumDigest) private pure returns (bytes32) {
        return keccak256(abi.encode(f.round, e.leaf, e.leaves, done, sumDigest));
    }
}
