// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LeafSum} from "../../../contracts/libraries/LeafSum.sol";
import {Tree} from "../support/Tree.sol";
import {hold, VM} from "../support/Vm.sol";

/// @notice Places, roots and sums against plain recursion and plain addition.
contract LeafSumTest is Tree {
    function testFuzz_AddsWordsModulo(uint256 seed, uint8 count, bool wide) external view {
        uint256 wordBits = wide ? 64 : 32;
        bytes[] memory leaves = new bytes[](uint256(count) % 9 + 1);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = leafOf(seed, i, seed % 3 == 0);
        }
        bytes32 sum = keccak256(plainSum(leaves, wordBits));
        hold(_added(leaves, wordBits, seed % 4, false) == sum, "the sum of the words");
        hold(_added(leaves, wordBits, seed % 4, true) == sum, "the same from a partial sum on");
    }

    function test_AddsTwoHundredAndFiftySixLeavesOfOnes() external view {
        bytes memory ones = new bytes(1024 * 256);
        for (uint256 i = 0; i < 1024 * 256; i += 32) {
            assembly ("memory-safe") {
                mstore(add(add(ones, 32), i), not(0))
            }
        }
        // 256 · (2^k - 1) = -256 modulo 2^k.
        for (uint256 wordBits = 32; wordBits <= 64; wordBits += 32) {
            bytes memory sum = this.added(ones, 1024, "", wordBits);
            for (uint256 i = 0; i < 1024; ++i) {
                hold(uint8(sum[i]) == (i % (wordBits / 8) == 0 ? 0 : 0xff), "minus 256");
            }
        }
    }

    function testFuzz_PlacesAreThoseOfTheTree(uint256 seed, uint8 size, uint8 index) external view {
        bytes[] memory leaves = vectorOf(seed, uint256(size) % 40 + 1);
        uint256 leaf = index % leaves.length;
        bytes32 whole = rootOf(leaves);
        (uint256 sides, uint256 depth) = LeafSum.place(leaf, leaves.length);
        bytes memory path = pathOf(leaves, leaf);
        hold(path.length == 32 * depth, "as deep as the tree");
        hold(this.root(abi.encodePacked(leaves[leaf], path), sides) == whole, "the leaf under the root");
        if (depth > 0) hold(this.root(abi.encodePacked(leaves[leaf], path), sides ^ (1 << (seed % depth))) != whole, "not on another side");
        hold(this.hashOf(leaves[leaf]) == sha256(abi.encodePacked(uint8(0), leaves[leaf])), "the leaf's hash");
        leaves[leaf][seed % 1024] ^= bytes1(uint8(1 << (seed % 8)));
        hold(this.root(abi.encodePacked(leaves[leaf], path), sides) != whole, "not another leaf");
    }

    function test_RevertsWhenAHashCannotBeHad() external {
        bytes memory leaf = leafOf(1, 0, false);
        VM.mockCallRevert(address(2), "", "");
        (bool hashed,) = address(this).call(abi.encodeCall(this.hashOf, (leaf)));
        (bool joined,) = address(this).call(abi.encodeCall(this.above, (bytes32(uint256(1)), new bytes(96), 0)));
        (bool found,) = address(this).call(abi.encodeCall(this.root, (abi.encodePacked(leaf, new bytes(96)), 0)));
        VM.clearMockedCalls();
        hold(!hashed && !joined && !found, "no verdict on an older hash");
        hold(this.hashOf(leaf) == sha256(abi.encodePacked(uint8(0), leaf)), "nor was it something else that failed");
    }

    function added(bytes calldata branches, uint256 stride, bytes calldata first, uint256 wordBits) external pure returns (bytes memory) {
        return abi.encodePacked(LeafSum.add(branches, stride, first, wordBits));
    }

    function root(bytes calldata branch, uint256 sides) external view returns (bytes32) {
        return LeafSum.rootOfBranch(branch, sides);
    }

    function above(bytes32 hash, bytes calldata siblings, uint256 sides) external view returns (bytes32) {
        return LeafSum.rootOf(hash, siblings, sides);
    }

    function hashOf(bytes calldata leaf) external view returns (bytes32) {
        return LeafSum.hashOf(abi.decode(leaf, (uint256[32])));
    }

    /// @dev All but the first as branches of some length, the first apart or not at all.
    function _added(bytes[] memory leaves, uint256 wordBits, uint256 padding, bool apart) private view returns (bytes32) {
        bytes memory branches;
        for (uint256 i = apart ? 1 : 0; i < leaves.length; ++i) {
            branches = abi.encodePacked(branches, leaves[i], new bytes(32 * padding));
        }
        return keccak256(this.added(branches, 1024 + 32 * padding, apart ? leaves[0] : bytes(""), wordBits));
    }
}
