// The sketch's only library is the board itself; see board.cpp.
