"""The engine: clocks, rounds, processes, pools and memory.  Knows no metric, no budget and no pytest."""
