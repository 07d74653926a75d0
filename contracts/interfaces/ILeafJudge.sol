// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Evidence, Facts} from "../types/Disputes.sol";

/// @title What a dispute's evidence shows
/// @notice Made by the coordinator, which alone acts on what it says. Holds nothing. Reverts with errors of IRoundCoordinator.
///
/// # A true sum is never struck
/// Let every included update be a vector of the same length, as custodians check who hold it whole; so their trees have one shape,
/// and so has the tree of their sum. Evidence has to show a leaf at the same place in the tree of every included update: under
/// roots that the sites committed to, since the accumulator is a chain over them; and with a preimage of 1,025 bytes that begins
/// with 0x00, so that no node passes for a leaf. In trees of one shape that place is one leaf of the vectors, whatever `leaf` and
/// `leaves` claim: a wrong count of leaves either names a place that some tree does not have, or another real leaf. The leaves are
/// added here, and the result is the true sum's leaf. The tree of the true sum has the hash of this leaf at this place, and no
/// leaf above it: to show anything else under its root would take two preimages of one SHA-256.
///
/// # A false one always can be
/// Whoever has bytes of any length but none whose root is the published one, and the updates, walks down both trees from the root. If
/// the bytes are not the true sum (but for zeros that pad the last leaf), there is a first place from the left where the true tree
/// has a leaf and the published one something else, or where the published tree has a leaf and the true one a node: the first is shown by a
/// hash, the second by the leaf above. So the length of the published sum needs no word on chain.
/// Not to be shown: a root of which nobody has the bytes. Then nobody has a sum either: no honest site attests it.
///
/// # Updates of another shape
/// Two custodians who lie can have a site's root included that is no root of a vector of the study's length. Then there is no sum: no
/// honest site publishes or attests one, and who cannot show the leaf of every included update can strike none. The round is void.
interface ILeafJudge {
    /// @notice Judges the publication, or adds up a part.
    /// @dev Requirements, in this order, as told in IRoundCoordinator.dispute: leaf; contributions; partial sum; updates; sum.
    /// @param done included sites, in order of arrival, whose leaves are in `partialSum`
    /// @param partialSum their sum, 1 KiB; empty when there are none
    /// @return kept digest of the new partial sum, to be given back with the next part; zero: the published sum is wrong
    function weigh(Facts calldata facts, Evidence calldata evidence, uint256 done, bytes calldata partialSum) external view returns (bytes32 kept);
}
