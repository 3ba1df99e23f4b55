if [ -n "$FIRST_GUEST" ]; then
    echo "$FIRST_GUEST" >/srv/guests/book.txt
fi
