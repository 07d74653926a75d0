import type { Address } from '#base/ids.ts'

/** One topic for each deployment of the contracts; `1` is the version of what is said in it. */
export const topicOf = (chainId: bigint, contracts: Address): string => `rota/1/${chainId}/${contracts}`
