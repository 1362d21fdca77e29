SELECT symbol, window_start::time(0) AS "from", open, high, low, close, volume, vwap, trades
FROM candles
WHERE symbol IN ('AAPL', 'MSFT', 'NVDA')
EMIT CHANGES
