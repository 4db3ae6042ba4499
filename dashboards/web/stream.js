// The live events, and what the connection is like. EventSource reconnects by itself after a drop, but gives up on an answer that is no
// stream (a 503, a proxy's page): then we start again, ever more slowly.

const firstRetryMs = 2000;
const lastRetryMs = 30000;

export function openStream(url, { onData, onState }) {
  let retryMs = firstRetryMs;

  function connect() {
    const source = new EventSource(url);
    source.addEventListener('open', () => {
      retryMs = firstRetryMs;
      onState('open');
    });
    source.addEventListener('live', (event) => onData(JSON.parse(event.data)));
    source.addEventListener('error', () => {
      onState('lost');
      if (source.readyState === EventSource.CLOSED) {
        setTimeout(connect, retryMs);
        retryMs = Math.min(2 * retryMs, lastRetryMs);
      }
    });
  }
  connect();
}
