"""How the scripted speaker talks: a scene in, a plan out. Pure; no clock, no chance.

greet    what is said first: hello, welcome back, what was remembered; most turns nothing
hear     each message that waits for an answer: what it changes, and what is said to it
go_on    what stays open is asked, or the talk is closed

phrases ← spoken ← places ← questions ← draft ← { greeting, hearing, closing } ← planning
"""
