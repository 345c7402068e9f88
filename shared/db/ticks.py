"""When ticks came: a process that rests at zero cannot tell, and one that is not woken even less."""

import asyncpg


async def note_tick(pool: asyncpg.Pool, function: str) -> None:
    """Note that the tick has come to `function`."""
    await pool.execute(
        """
        INSERT INTO ticks (function, came_at) VALUES ($1, now())
        ON CONFLICT (function) DO UPDATE SET came_at = excluded.came_at
        """,
        function,
        timeout=5,
    )
