-- The demo: trades from Kafka, a price candle per symbol and ten seconds, and
-- alerts about big trades into another topic.

-- Trades come up to three seconds out of order; a window closes when a trade
-- three seconds later than its end was seen.
CREATE STREAM trades (
    symbol     text NOT NULL,
    trade_id   bigint NOT NULL,
    price      numeric(12, 2) NOT NULL,
    quantity   bigint NOT NULL,
    side       text NOT NULL,
    venue      text,
    trader_id  text,
    event_time timestamptz NOT NULL,
    WATERMARK FOR event_time AS event_time - INTERVAL '3 seconds'
) WITH (connector = 'kafka', brokers = '${BROKERS}', topic = 'trades', format = 'json', on_error = 'skip');

-- Open, high, low, close, volume, and the average price weighted by volume.
CREATE MATERIALIZED VIEW candles AS
SELECT symbol,
       window_start,
       window_end,
       first_value(price)                                AS open,
       max(price)                                        AS high,
       min(price)                                        AS low,
       last_value(price)                                 AS close,
       sum(quantity)                                     AS volume,
       round(sum(price * quantity) / sum(quantity), 4)   AS vwap,
       count(*)                                          AS trades
FROM trades
WINDOW TUMBLING(event_time, INTERVAL '10 seconds')
GROUP BY symbol;

-- Every trade worth more than half a million, as JSON in topic alerts.
CREATE STREAM alerts AS
SELECT symbol, trade_id, side, price, quantity, price * quantity AS notional, trader_id, event_time
FROM trades
WHERE price * quantity > 500000
WITH ('alerts.type' = 'kafka_sink', 'alerts.brokers' = '${BROKERS}', 'alerts.topic' = 'alerts', 'alerts.format' = 'json');
