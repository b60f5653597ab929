#!/usr/bin/python3
# A worker that is nothing but work.
while True:
    pass
