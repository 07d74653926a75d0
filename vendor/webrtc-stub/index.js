// Rota's nodes speak TCP and WebSocket only; importing the real package would install React Native.
export const webRTC = () => { throw new Error('WebRTC is not part of Rota') }
export const webRTCDirect = webRTC
