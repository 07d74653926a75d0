import type { MultiaddrConnection } from '@libp2p/interface'

/** Bytes on the wire since start: encrypted, framed, with all that libp2p itself says. */
export interface Traffic {
  readonly bytesIn: number
  readonly bytesOut: number
}

export interface TrafficMeter extends Traffic {
  watch(connection: MultiaddrConnection): void
}

/** What transports call when bytes arrive; not part of the public interface, as listening for 'message' would take the bytes away. */
interface Receiver {
  onData(data: { readonly byteLength: number }): void
}

/** A relayed connection is not counted: its bytes pass through the connection to the relay, which is. */
export function createTrafficMeter(): TrafficMeter {
  const traffic = { bytesIn: 0, bytesOut: 0 }
  return {
    get bytesIn() {
      return traffic.bytesIn
    },
    get bytesOut() {
      return traffic.bytesOut
    },
    watch(connection) {
      if (connection.remoteAddr.toString().includes('/p2p-circuit')) return
      const send = connection.send.bind(connection)
      connection.send = (data) => {
        traffic.bytesOut += data.byteLength
        return send(data)
      }
      if (!isReceiver(connection)) return
      const onData = connection.onData.bind(connection)
      connection.onData = (data) => {
        traffic.bytesIn += data.byteLength
        onData(data)
      }
    },
  }
}

const isReceiver = (connection: MultiaddrConnection): connection is MultiaddrConnection & Receiver =>
  'onData' in connection && typeof connection.onData === 'function'
